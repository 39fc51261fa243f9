import { stream } from '#lib/api/load.ts';
import type { PageServerLoad } from './$types';
import { PAGE_SIZE } from './page-size.ts';

export const load: PageServerLoad = async ({ locals, params, isDataRequest }) => {
  const api = await locals.api();
  const page = { limit: PAGE_SIZE };
  const [changes, commands] = await Promise.all([
    stream(isDataRequest, api.devices.shadowHistory(params.serial, page).page()),
    stream(isDataRequest, api.commands.list(params.serial, page).page()),
  ]);
  return { changes: changes.value, commands: commands.value };
};
