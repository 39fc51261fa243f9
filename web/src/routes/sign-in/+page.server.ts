import { fail, redirect } from '@sveltejs/kit';
import { safeNext } from '#lib/auth/next-url.ts';
import type { AuthFailure } from '#lib/supabase/auth.server.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, url }) => {
  const next = safeNext(url.searchParams.get('next'));
  if (await locals.auth.session()) redirect(303, next);
  return { next, way: url.searchParams.get('way') === 'code' ? ('code' as const) : ('password' as const) };
};

const WORDS: Record<AuthFailure, { status: number; message: string }> = {
  wrong: { status: 400, message: '' },
  too_many: { status: 429, message: 'Too many attempts. Wait a minute, then try again.' },
  unreachable: {
    status: 503,
    message: 'The sign-in service does not answer right now. Try again in a moment.',
  },
};

function refused(failure: AuthFailure, wrong: string, values: { email: string; sent?: boolean }) {
  const { status, message } = WORDS[failure];
  return fail(status, { ...values, message: message || wrong });
}

function text(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value.trim() : '';
}

export const actions: Actions = {
  password: async ({ locals, request, url }) => {
    const form = await request.formData();
    const email = text(form, 'email');
    const password = form.get('password');
    if (!email || typeof password !== 'string' || !password) {
      return fail(400, { email, message: 'Enter your email and your password.' });
    }
    const failure = await locals.auth.withPassword(email, password);
    if (failure) return refused(failure, 'Email and password do not match.', { email });
    redirect(303, safeNext(url.searchParams.get('next')));
  },

  send: async ({ locals, request }) => {
    const email = text(await request.formData(), 'email');
    if (!/^\S+@\S+$/.test(email))
      return fail(400, { email, message: 'Enter the email address of your account.' });
    const failure = await locals.auth.sendCode(email);
    if (failure) return refused(failure, '', { email });
    return { email, sent: true };
  },

  verify: async ({ locals, request, url }) => {
    const form = await request.formData();
    const email = text(form, 'email');
    const code = text(form, 'code').replaceAll(/\s/g, '');
    if (!/^\d{6}$/.test(code)) return fail(400, { email, sent: true, message: 'The code has six digits.' });
    const failure = await locals.auth.withCode(email, code);
    const wrong = 'That code is wrong or too old. Check the newest mail, or send another code.';
    if (failure) return refused(failure, wrong, { email, sent: true });
    redirect(303, safeNext(url.searchParams.get('next')));
  },
};
