import { fail, redirect } from '@sveltejs/kit';
import { safeNext } from '#lib/auth/next-url.ts';
import { field } from '#lib/server/mailed-code.ts';
import { refusalOf } from '#lib/server/refusal.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, url }) => {
  const next = safeNext(url.searchParams.get('next'));
  if (!(await locals.auth.secondFactor.isOwed())) redirect(303, next);
  return { next };
};

export const actions: Actions = {
  default: async ({ locals, request, url }) => {
    const code = field(await request.formData(), 'code').replaceAll(/\D/g, '');
    if (!/^\d{6}$/.test(code)) return fail(400, { message: 'The code has six digits.' });
    const wrong = 'That is not what your app shows now. Wait for the next code and try again.';
    const refusal = refusalOf(await locals.auth.secondFactor.verifyAny(code), wrong);
    if (refusal) return fail(refusal.status, { message: refusal.message });
    redirect(303, safeNext(url.searchParams.get('next')));
  },
};
