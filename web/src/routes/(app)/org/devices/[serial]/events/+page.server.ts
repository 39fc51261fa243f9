import { stream } from '#lib/api/load.ts';
import type { PageServerLoad } from './$types';

const PAGE_SIZE = 30;

export const load: PageServerLoad = async ({ locals, params, url, isDataRequest }) => {
  const api = await locals.api();
  const after = url.searchParams.get('after');
  const letters = api.deadLetters.ofDevice(params.serial, { limit: PAGE_SIZE, ...(after && { after }) });
  return { letters: (await stream(isDataRequest, letters.page())).value };
};
