import { RateLimitError } from '@edgeconductor/sdk';
import { waitWords } from '#lib/format/wait.ts';
import { toProblem } from '#lib/problem.ts';
import { wordsFor, type AuthFailure } from '#lib/supabase/auth-failure.ts';

/** Why a form was refused: the status to answer with and a sentence for the person. */
export interface Refusal {
  status: number;
  message: string;
}

/** Of the auth server; null when it did not refuse. */
export function refusalOf(failure: AuthFailure | null, wrong: string): Refusal | null {
  return failure ? wordsFor(failure, wrong) : null;
}

/** Of the API, from whatever it threw. */
export function refusalFrom(cause: unknown): Refusal {
  if (cause instanceof RateLimitError) {
    const message = `Too many attempts. Try again in ${waitWords(cause.retryAfter)}.`;
    return { status: 429, message };
  }
  const { status, title, detail } = toProblem(cause);
  return { status, message: detail ?? `${title}.` };
}
