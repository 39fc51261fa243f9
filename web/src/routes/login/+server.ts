import { redirect } from '@sveltejs/kit';
import type { RequestHandler } from './$types';

/** The address people guess. */
export const GET: RequestHandler = ({ url }) => redirect(308, `/sign-in${url.search}`);
