import { stream } from '#lib/api/load.ts';
import { readPlatformView } from './platform/view.ts';
import type { PageServerLoad } from './$types';

const PAGE_SIZE = 50;

export const load: PageServerLoad = async ({ locals, isDataRequest, url, depends }) => {
  depends('ec:platform');
  const api = await locals.api();
  const { tab, q } = readPlatformView(url.searchParams);
  const after = url.searchParams.get('after');
  const query = { limit: PAGE_SIZE, ...(q && { q }), ...(after && { after }) };
  // Only what the tab shows is asked for.
  return {
    tab,
    q,
    orgList: tab === 'orgs' ? (await stream(isDataRequest, api.orgs.list(query).page())).value : null,
    partners:
      tab === 'partners' ? (await stream(isDataRequest, api.partners.list(query).page())).value : null,
    devices: tab === 'devices' ? (await stream(isDataRequest, api.devices.list(query).page())).value : null,
    users: tab === 'users' ? (await stream(isDataRequest, api.users.list(query).page())).value : null,
  };
};
