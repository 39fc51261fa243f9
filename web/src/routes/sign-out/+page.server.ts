import { redirect } from '@sveltejs/kit';
import type { Actions, PageServerLoad } from './$types';

/** Opening the address does nothing: a link in a mail must not sign anybody out. */
export const load: PageServerLoad = () => redirect(303, '/');

export const actions: Actions = {
  default: async ({ locals }) => {
    await locals.auth.signOut();
    redirect(303, '/sign-in');
  },
};
