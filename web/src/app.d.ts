import type { EdgeConductor, Me } from '@edgeconductor/sdk';
import type { Problem } from '#lib/problem.ts';
import type { Auth } from '#lib/supabase/auth.server.ts';

declare global {
  namespace App {
    interface Locals {
      requestId: string;
      auth: Auth;
      /** The API as the person who is signed in; redirects to sign-in when nobody is. */
      api: () => Promise<EdgeConductor>;
      /** Who is signed in, asked once per request. */
      me: () => Promise<Me>;
      /** Why this page cannot be shown; thrown by the layout so that the error has the look of the app. */
      denied: Problem | null;
    }
    interface Error {
      message: string;
      problem?: Problem;
    }
  }
}
