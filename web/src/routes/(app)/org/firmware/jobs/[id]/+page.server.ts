import { error } from '@sveltejs/kit';
import { stream } from '#lib/api/load.ts';
import { readDeviceQuery } from './device-query.ts';
import type { PageServerLoad } from './$types';

const PAGE_SIZE = 50;

export const load: PageServerLoad = async ({ locals, params, url, isDataRequest }) => {
  const api = await locals.api();
  const after = url.searchParams.get('after') ?? undefined;
  const query = { ...readDeviceQuery(url.searchParams), limit: PAGE_SIZE, ...(after && { after }) };
  const [job, devices, timeline] = await Promise.all([
    stream(isDataRequest, api.otaJobs.get(params.id)),
    stream(isDataRequest, api.otaJobs.devices(params.id, query).page()),
    stream(isDataRequest, api.otaJobs.timeline(params.id)),
  ]);
  // A document can still answer with the right status; a navigation shows the same inside the page.
  if (!(job.value instanceof Promise) && job.value.problem?.status === 404)
    error(404, job.value.problem.title, { problem: job.value.problem });
  return { id: params.id, query, job: job.value, devices: devices.value, timeline: timeline.value };
};
