import { redirect } from '@sveltejs/kit';
import { settle } from '#lib/problem.ts';
import type { PageServerLoad } from './$types';

const SERIAL = /^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$/;

export const load: PageServerLoad = async ({ locals, url }) => {
  const serial = url.searchParams.get('serial') ?? '';
  if (!SERIAL.test(serial)) redirect(303, '/');
  const [api, me] = await Promise.all([locals.api(), locals.me()]);
  const device = await settle(api.devices.get(serial));
  const mine = device.data?.customer_id === me.id;
  return {
    serial,
    device,
    home: `${mine ? '/portal' : '/org'}/devices/${serial}`,
    all: mine ? '/portal' : '/org/devices',
  };
};
