/** A reason to stop that a person can act on: `main.ts` prints the message alone, without a stack trace. */
export class StackFailure extends Error {
  override readonly name = 'StackFailure';
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
