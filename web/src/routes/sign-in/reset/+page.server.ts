import { fail } from '@sveltejs/kit';
import { safeNext } from '#lib/auth/next-url.ts';
import { enter, field, takeAttempt } from '#lib/server/mailed-code.ts';
import { refusalOf } from '#lib/server/refusal.ts';
import type { Actions, PageServerLoad } from './$types';

const CODE = /^\d{6}$/;
const MIN_LENGTH = 8;

export const load: PageServerLoad = ({ url }) => ({ next: safeNext(url.searchParams.get('next')) });

/** `step` is what the page shows next: the address, the mailed digits, or only the new password. */
export const actions: Actions = {
  send: async (event) => {
    const email = field(await event.request.formData(), 'email');
    const refusal =
      (await takeAttempt(event, email)) ??
      refusalOf(await event.locals.auth.sendRecovery(email), 'Enter the email address of your account.');
    if (refusal) return fail(refusal.status, { step: 'email' as const, email, message: refusal.message });
    return { step: 'code' as const, email };
  },

  /** The digits sign in; what happens to the password after that needs them no more. */
  change: async (event) => {
    const form = await event.request.formData();
    const email = field(form, 'email');
    const code = field(form, 'code').replaceAll(/\D/g, '');
    const password = form.get('password');
    const retry = (status: number, message: string) =>
      fail(status, { step: 'code' as const, email, message });
    if (typeof password !== 'string' || password.length < MIN_LENGTH)
      return retry(400, 'The new password needs at least 8 characters.');
    if (!CODE.test(code)) return retry(400, 'The code has six digits.');
    const wrong = 'That code is wrong or too old. Check the newest mail, or send another code.';
    const refusal =
      (await takeAttempt(event, email)) ??
      refusalOf(await event.locals.auth.withRecovery(email, code), wrong);
    if (refusal) return retry(refusal.status, refusal.message);
    // With a second step only its digits allow another password: after them, the account page sets it.
    if (await event.locals.auth.secondFactor.isOwed()) return enter(event, '/account#password-section');
    return choose(event, email, password);
  },

  /** After digits that were right with a password that was not good enough. */
  choose: async (event) => {
    const form = await event.request.formData();
    const password = form.get('password');
    return choose(event, field(form, 'email'), typeof password === 'string' ? password : '');
  },
};

async function choose(event: Parameters<Actions[string]>[0], email: string, password: string) {
  const { auth } = event.locals;
  const refusal = refusalOf(
    await auth.setPassword(password),
    'That password was not accepted. Try another one.',
  );
  if (refusal) return fail(refusal.status, { step: 'password' as const, email, message: refusal.message });
  // Whoever else knew the old one is out.
  await auth.signOut('others');
  return enter(event, safeNext(event.url.searchParams.get('next')));
}
