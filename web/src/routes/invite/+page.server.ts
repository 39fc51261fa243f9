import { APIError } from '@edgeconductor/sdk';
import { fail, redirect, type RequestEvent } from '@sveltejs/kit';
import { UNREADABLE, viewInvitation } from '#lib/join/invitation.server.ts';
import { keepPrivate, visitorOf } from '#lib/join/person.server.ts';
import { field, sendCode, verifyCode } from '#lib/server/mailed-code.ts';
import { refusalFrom } from '#lib/server/refusal.ts';
import { mailedInvitation } from '#lib/server/scanned.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  mailedInvitation.take(event);
  keepPrivate(event);
  const mailed = mailedInvitation.read(event);
  const { me, api } = await visitorOf(event);
  const person = me && { email: me.email };
  if (!mailed) return { view: null, person };
  return { view: mailed === 'unreadable' ? UNREADABLE : await viewInvitation(api, mailed.token), person };
};

export const actions: Actions = {
  send: async (event) => {
    const email = field(await event.request.formData(), 'email');
    const refusal = await sendCode(event, email, { create: true });
    return refusal ? fail(refusal.status, { email, message: refusal.message }) : { email, sent: true };
  },

  verify: async (event) => {
    const form = await event.request.formData();
    const email = field(form, 'email');
    const refusal = await verifyCode(event, email, field(form, 'code'));
    if (refusal) return fail(refusal.status, { email, sent: true, message: refusal.message });
    if (await event.locals.auth.secondFactor.isOwed()) redirect(303, '/sign-in/second-factor?next=/invite');
    return accept(event);
  },

  accept: (event) => accept(event),
};

const ENDED = new Set<string>(['not_found', 'already_used', 'expired', 'rate_limited']);
const STAFF = new Set<string>(['org_admin', 'operator', 'viewer']);
const YEAR = 31_536_000;

async function accept(event: RequestEvent) {
  const mailed = mailedInvitation.read(event);
  // Without an invitation, or with one that ended meanwhile, the page itself says what is the matter.
  if (!mailed || mailed === 'unreadable') redirect(303, '/invite');
  let home: string;
  try {
    const accepted = await (
      await event.locals.api()
    ).invitations.accept({ token: mailed.token }, { maxRetries: 0 });
    home = accepted.home;
    const { org_id: org, role } = accepted.membership;
    // Whoever belongs to several organisations begins in the one they were invited to.
    if (org && STAFF.has(role)) rememberOrg(event, org);
  } catch (cause) {
    if (cause instanceof APIError && ENDED.has(cause.code)) redirect(303, '/invite');
    const refusal = refusalFrom(cause);
    return fail(refusal.status, { message: refusal.message });
  }
  mailedInvitation.drop(event);
  redirect(303, home);
}

function rememberOrg({ cookies, url }: RequestEvent, org: string): void {
  cookies.set('ec-org', org, {
    path: '/',
    maxAge: YEAR,
    sameSite: 'lax',
    httpOnly: true,
    secure: url.protocol === 'https:',
  });
}
