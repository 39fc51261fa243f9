import { APIError } from '@edgeconductor/sdk';
import { fail, redirect, type RequestEvent } from '@sveltejs/kit';
import { destinationsOf, UNREADABLE, viewClaim } from '#lib/join/claim.server.ts';
import { keepPrivate, visitorOf } from '#lib/join/person.server.ts';
import { field, sendCode, verifyCode } from '#lib/server/mailed-code.ts';
import { refusalFrom } from '#lib/server/refusal.ts';
import { scannedDevice } from '#lib/server/scanned.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  scannedDevice.take(event);
  keepPrivate(event);
  const scanned = scannedDevice.read(event);
  const { me, api } = await visitorOf(event);
  const person = me && { email: me.email, destinations: await destinationsOf(api, me) };
  if (!scanned) return { view: null, person };
  return { view: scanned === 'unreadable' ? UNREADABLE : await viewClaim(api, scanned, me), person };
};

export const actions: Actions = {
  /** Typed by hand from the label. */
  enter: async (event) => {
    const form = await event.request.formData();
    scannedDevice.keep(event, { serial: field(form, 'serial'), code: field(form, 'code') });
    redirect(303, '/claim');
  },

  send: async (event) => {
    const email = field(await event.request.formData(), 'email');
    const refusal = await sendCode(event, email, { create: true });
    return refusal ? fail(refusal.status, { email, message: refusal.message }) : { email, sent: true };
  },

  /** Back to the address, with what was typed. */
  again: async (event) => ({ email: field(await event.request.formData(), 'email') }),

  verify: async (event) => {
    const form = await event.request.formData();
    const email = field(form, 'email');
    const refusal = await verifyCode(event, email, field(form, 'code'));
    if (refusal) return fail(refusal.status, { email, sent: true, message: refusal.message });
    if (await event.locals.auth.secondFactor.isOwed()) redirect(303, '/sign-in/second-factor?next=/claim');
    const destinations = await destinationsOf(await event.locals.api(), await event.locals.me());
    // Somebody with several organisations chooses first.
    if (destinations.length !== 1) redirect(303, '/claim');
    return claim(event, destinations[0]?.org_id ?? null);
  },

  claim: async (event) => {
    const org = field(await event.request.formData(), 'org');
    return claim(event, org || null);
  },
};

async function claim(event: RequestEvent, orgId: string | null) {
  const scanned = scannedDevice.read(event);
  // Without a code, or with one that ended meanwhile, the page itself says what is the matter.
  if (!scanned || scanned === 'unreadable') redirect(303, '/claim');
  try {
    const api = await event.locals.api();
    await api.claims.claim({ ...scanned, ...(orgId ? { org_id: orgId } : {}) }, { maxRetries: 0 });
  } catch (cause) {
    if (cause instanceof APIError && ENDED.has(cause.code)) redirect(303, '/claim');
    const refusal = refusalFrom(cause);
    return fail(refusal.status, { message: refusal.message });
  }
  scannedDevice.drop(event);
  redirect(303, `/claim/done?serial=${scanned.serial}`);
}

const ENDED = new Set<string>(['not_found', 'already_used', 'expired', 'rate_limited']);
