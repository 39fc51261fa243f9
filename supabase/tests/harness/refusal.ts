import pg from 'pg';
import { expect } from 'vitest';

export interface Refusal {
  /** SQLSTATE, e.g. EC404. */
  state: string;
  /** Contract code, e.g. not_found. */
  code: string;
  detail: string;
  hint: Record<string, unknown> | undefined;
}

/** The refusal the work ended in; fails the test when it did not end in one. */
export async function refusalOf(work: Promise<unknown>): Promise<Refusal> {
  const error = await work.then(
    (value) => expect.fail(`expected a refusal, got ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof pg.DatabaseError)) throw error;
  return {
    state: error.code ?? '',
    code: error.message,
    detail: error.detail ?? '',
    hint: error.hint ? (JSON.parse(error.hint) as Record<string, unknown>) : undefined,
  };
}

export async function expectRefusal(work: Promise<unknown>, state: string, code: string): Promise<Refusal> {
  const refusal = await refusalOf(work);
  expect({ state: refusal.state, code: refusal.code }).toEqual({ state, code });
  // A refusal tells the person what to do.
  expect(refusal.detail).toMatch(/\.$/);
  return refusal;
}
