import { fail } from '@sveltejs/kit';
import { stream } from '#lib/api/load.ts';
import { settle } from '#lib/problem.ts';
import type { Actions, PageServerLoad } from './$types';

const OVERLAPS = new Set(['0', '3600', '86400', '604800']);
const UUID = /^[0-9a-f-]{36}$/;

export const load: PageServerLoad = async ({ locals, params, isDataRequest, depends }) => {
  depends('ec:credentials');
  depends('ec:claim-code');
  const api = await locals.api();
  const [credentials, claimCode, tenures] = await Promise.all([
    stream(isDataRequest, api.credentials.list(params.serial)),
    stream(isDataRequest, api.claims.status(params.serial)),
    stream(isDataRequest, api.claims.tenures(params.serial)),
  ]);
  return { credentials: credentials.value, claimCode: claimCode.value, tenures: tenures.value };
};

export const actions: Actions = {
  /** The answer carries the new secret, once; it is stored nowhere but on the reader's screen. */
  rotate: async ({ locals, params, request, setHeaders }) => {
    setHeaders({ 'cache-control': 'no-store' });
    const overlap = (await request.formData()).get('overlap');
    const seconds = typeof overlap === 'string' && OVERLAPS.has(overlap) ? Number(overlap) : 0;
    const api = await locals.api();
    const rotated = await settle(api.credentials.rotate(params.serial, { overlapS: seconds }));
    if (rotated.problem) return fail(rotated.problem.status, { problem: rotated.problem });
    const { mqtt_username: username, mqtt_password: secret } = rotated.data;
    return { secret, username };
  },

  revoke: async ({ locals, params, request }) => {
    const id = (await request.formData()).get('id');
    if (typeof id !== 'string' || !UUID.test(id)) return fail(400, { problem: null });
    const api = await locals.api();
    const revoked = await settle(api.credentials.revoke(params.serial, id));
    if (revoked.problem) return fail(revoked.problem.status, { problem: revoked.problem });
    return { revoked: id };
  },
};
