import { redirect } from '@sveltejs/kit';
import type { Actions, PageServerLoad } from './$types';

const YEAR = 31_536_000;
const UUID = /^[0-9a-f-]{36}$/;

export const load: PageServerLoad = () => redirect(303, '/org');

/** Remembers the org; the API decides whether it may be read. */
export const actions: Actions = {
  default: async ({ request, cookies, url }) => {
    const org = (await request.formData()).get('org');
    if (typeof org === 'string' && UUID.test(org)) {
      cookies.set('ec-org', org, {
        path: '/',
        maxAge: YEAR,
        sameSite: 'lax',
        httpOnly: true,
        secure: url.protocol === 'https:',
      });
    }
    redirect(303, '/org');
  },
};
