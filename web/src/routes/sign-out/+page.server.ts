import { redirect } from '@sveltejs/kit';
import { safeNext } from '#lib/auth/next-url.ts';
import type { Actions, PageServerLoad } from './$types';

/** Opening the address does nothing: a link in a mail must not sign anybody out. */
export const load: PageServerLoad = () => redirect(303, '/');

export const actions: Actions = {
  /** `?next` for pages that go on as somebody else. */
  default: async ({ locals, url }) => {
    await locals.auth.signOut();
    redirect(303, safeNext(url.searchParams.get('next'), '/sign-in'));
  },
};
