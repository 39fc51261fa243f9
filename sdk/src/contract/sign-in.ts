import { z } from 'zod';

/** POST /sign-in/attempts counts a try before it is made; refused with rate_limited when there were too many.
 *  POST /sign-in/successes, with the access token it brought, gives the turn back. */
export const SignInAttempt = z
  .strictObject({ email: z.string().trim().toLowerCase().min(1).max(254) })
  .meta({ id: 'SignInAttempt' });
export type SignInAttempt = z.output<typeof SignInAttempt>;
