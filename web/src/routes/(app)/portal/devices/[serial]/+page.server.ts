import { error } from '@sveltejs/kit';
import { stream } from '#lib/api/load.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params, isDataRequest }) => {
  const api = await locals.api();
  const { value } = await stream(isDataRequest, api.devices.get(params.serial));
  // A document can still answer with the right status; a navigation shows the same inside the page.
  if (!(value instanceof Promise) && value.problem?.status === 404)
    error(404, value.problem.title, { problem: value.problem });
  return { serial: params.serial, device: value };
};
