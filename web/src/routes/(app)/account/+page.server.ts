import { fail, redirect, type RequestEvent } from '@sveltejs/kit';
import { settle } from '#lib/problem.ts';
import { field } from '#lib/server/mailed-code.ts';
import { refusalOf } from '#lib/server/refusal.ts';
import { offersSecondFactor } from '#lib/supabase/factor-probe.server.ts';
import type { Actions, PageServerLoad } from './$types';

const MIN_LENGTH = 8;
const DIGITS = /^\d{6}$/;
const UUID = /^[0-9a-f-]{36}$/;
const WRONG_APP_CODE = 'That is not what your app shows now. Wait for the next code and try again.';

export const load: PageServerLoad = async ({ locals, depends }) => {
  depends('ec:account');
  const [me, token] = await Promise.all([locals.me(), locals.auth.accessToken()]);
  const offered = token !== null && (await offersSecondFactor(token));
  return {
    profile: { email: me.email, name: me.full_name },
    // Null where the installation has no second factor at all.
    factors: offered ? await locals.auth.secondFactor.list() : null,
  };
};

/** Every answer names the section it belongs to, so that words appear beside the form that was sent. */
const refuse = <Section extends string>(section: Section, status: number, message: string) =>
  fail(status, { section, message });

export const actions: Actions = {
  name: async (event) => {
    const name = field(await event.request.formData(), 'name').slice(0, 120);
    const saved = await settle((await event.locals.api()).updateMe({ full_name: name || null }));
    if (saved.problem)
      return refuse('name', saved.problem.status, saved.problem.detail ?? saved.problem.title);
    return { section: 'name' as const, done: 'Saved.' };
  },

  password: async (event) => {
    const form = await event.request.formData();
    const password = form.get('password');
    if (typeof password !== 'string' || password.length < MIN_LENGTH)
      return refuse('password', 400, 'The new password needs at least 8 characters.');
    return setPassword(event, password, field(form, 'nonce').replaceAll(/\D/g, ''));
  },

  /** Begins a second factor: the answer holds its secret, for this one screen. */
  enrol: async ({ locals, setHeaders }) => {
    setHeaders({ 'cache-control': 'no-store' });
    const { enrolment, failure } = await locals.auth.secondFactor.enrol();
    if (enrolment) return { section: 'factor' as const, enrolment };
    const refusal = refusalOf(failure, 'The second step could not be set up. Try again.');
    return refuse('factor', refusal?.status ?? 503, refusal?.message ?? '');
  },

  confirm: async ({ locals, request }) => {
    const form = await request.formData();
    const [id, code] = [field(form, 'id'), field(form, 'code').replaceAll(/\D/g, '')];
    const qr = field(form, 'qr');
    const enrolment = {
      id,
      qr: qr.startsWith('data:image/svg+xml,') ? qr : '',
      secret: field(form, 'secret'),
    };
    const again = (status: number, message: string) =>
      fail(status, { section: 'factor' as const, enrolment, message });
    if (!UUID.test(id) || !DIGITS.test(code)) return again(400, 'The code has six digits.');
    const refusal = refusalOf(await locals.auth.secondFactor.verify(id, code), WRONG_APP_CODE);
    if (refusal) return again(refusal.status, refusal.message);
    return { section: 'factor' as const, done: 'Two-step sign-in is on.' };
  },

  remove: async ({ locals, request }) => {
    const id = field(await request.formData(), 'id');
    if (!UUID.test(id)) return refuse('factor', 400, 'That authenticator app is not known.');
    const refusal = refusalOf(
      await locals.auth.secondFactor.remove(id),
      'It could not be removed. Try again.',
    );
    if (refusal) return refuse('factor', refusal.status, refusal.message);
    return { section: 'factor' as const, done: 'Two-step sign-in is off.' };
  },

  others: async ({ locals }) => {
    const refusal = refusalOf(await locals.auth.signOut('others'), 'That did not work. Try again.');
    if (refusal) return refuse('sessions', refusal.status, refusal.message);
    return { section: 'sessions' as const, done: 'All other devices are signed out.' };
  },

  everywhere: async ({ locals }) => {
    const refusal = refusalOf(await locals.auth.signOut('global'), 'That did not work. Try again.');
    if (refusal) return refuse('sessions', refusal.status, refusal.message);
    redirect(303, '/sign-in');
  },
};

async function setPassword({ locals }: RequestEvent, password: string, nonce: string) {
  const failure = await locals.auth.setPassword(password, nonce || undefined);
  // Signed in long ago: the auth server wants digits that it mails first.
  if (failure === 'stale' && (await locals.auth.sendNonce()) === null)
    return fail(403, {
      section: 'password' as const,
      nonce: true,
      message: 'You signed in a while ago. Enter the six digits we just mailed to you as well.',
    });
  const wrong = nonce
    ? 'Those digits are wrong or too old.'
    : 'That password was not accepted. Try another one.';
  const refusal = refusalOf(failure, wrong);
  if (refusal)
    return fail(refusal.status, {
      section: 'password' as const,
      nonce: nonce !== '',
      message: refusal.message,
    });
  await locals.auth.signOut('others');
  return { section: 'password' as const, done: 'Your password is changed. Other devices are signed out.' };
}
