import { stream } from '#lib/api/load.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, isDataRequest, depends }) => {
  depends('ec:devices');
  const [api, me] = await Promise.all([locals.api(), locals.me()]);
  // Somebody who works for an organisation reads its devices, too; here are their own.
  const own = async () =>
    (await api.devices.list({ limit: 100 })).filter(({ customer_id }) => customer_id === me.id);
  const devices = await stream(isDataRequest, own());
  return { devices: devices.value };
};
