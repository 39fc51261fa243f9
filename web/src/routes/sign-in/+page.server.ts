import { fail, redirect } from '@sveltejs/kit';
import { safeNext } from '#lib/auth/next-url.ts';
import { enter, field, returnAttempt, sendCode, takeAttempt, verifyCode } from '#lib/server/mailed-code.ts';
import { refusalOf, type Refusal } from '#lib/server/refusal.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, url }) => {
  const next = safeNext(url.searchParams.get('next'));
  if (await locals.auth.session()) redirect(303, next);
  if (await locals.auth.secondFactor.isOwed())
    redirect(303, `/sign-in/second-factor?next=${encodeURIComponent(next)}`);
  return { next, way: url.searchParams.get('way') === 'code' ? ('code' as const) : ('password' as const) };
};

const refused = ({ status, message }: Refusal, values: { email: string; sent?: boolean }) =>
  fail(status, { ...values, message });

export const actions: Actions = {
  password: async (event) => {
    const form = await event.request.formData();
    const email = field(form, 'email');
    const password = form.get('password');
    if (!email || typeof password !== 'string' || !password)
      return fail(400, { email, message: 'Enter your email and your password.' });
    const refusal =
      (await takeAttempt(event, email)) ??
      refusalOf(await event.locals.auth.withPassword(email, password), 'Email and password do not match.');
    if (refusal) return refused(refusal, { email });
    await returnAttempt(event, email);
    return enter(event, safeNext(event.url.searchParams.get('next')));
  },

  send: async (event) => {
    const email = field(await event.request.formData(), 'email');
    const refusal = await sendCode(event, email, { create: false });
    return refusal ? refused(refusal, { email }) : { email, sent: true };
  },

  verify: async (event) => {
    const form = await event.request.formData();
    const email = field(form, 'email');
    const refusal = await verifyCode(event, email, field(form, 'code'));
    if (refusal) return refused(refusal, { email, sent: true });
    return enter(event, safeNext(event.url.searchParams.get('next')));
  },
};
