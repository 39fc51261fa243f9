import { APIError } from '@edgeconductor/sdk';
import { fail, redirect, type RequestEvent } from '@sveltejs/kit';
import { keepPrivate, visitorOf } from '#lib/join/person.server.ts';
import { UNREADABLE, viewRoom } from '#lib/join/room.server.ts';
import { field, sendCode, verifyCode } from '#lib/server/mailed-code.ts';
import { refusalFrom } from '#lib/server/refusal.ts';
import { scannedRoom } from '#lib/server/scanned.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  scannedRoom.take(event);
  keepPrivate(event);
  const scanned = scannedRoom.read(event);
  const { me, api } = await visitorOf(event);
  const person = me && { email: me.email };
  if (!scanned) return { view: null, person };
  return { view: scanned === 'unreadable' ? UNREADABLE : await viewRoom(api, scanned), person };
};

export const actions: Actions = {
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
    if (await event.locals.auth.secondFactor.isOwed())
      redirect(303, '/sign-in/second-factor?next=/claim-room');
    return claim(event);
  },

  claim: (event) => claim(event),
};

const ENDED = new Set<string>(['not_found', 'expired', 'rate_limited']);

async function claim(event: RequestEvent) {
  const scanned = scannedRoom.read(event);
  // Without a code, or with one that ended meanwhile, the page itself says what is the matter.
  if (!scanned || scanned === 'unreadable') redirect(303, '/claim-room');
  try {
    await (await event.locals.api()).roomClaims.claim(scanned, { maxRetries: 0 });
  } catch (cause) {
    if (cause instanceof APIError && ENDED.has(cause.code)) redirect(303, '/claim-room');
    const refusal = refusalFrom(cause);
    return fail(refusal.status, { message: refusal.message });
  }
  scannedRoom.drop(event);
  redirect(303, `/portal/room?room=${scanned.room_id.toLowerCase()}`);
}
