import { settle, type Loaded, type Problem } from '#lib/problem.ts';

/** One thing somebody asked for: whether it is under way, and why it failed. */
export class Task {
  #busy = $state(false);
  #problem = $state.raw<Problem | null>(null);

  get busy(): boolean {
    return this.#busy;
  }

  /** Of the last attempt; null while one runs and after it went well. */
  get problem(): Problem | null {
    return this.#problem;
  }

  /** Runs it, or answers null because the one before is still under way: a double click acts once. */
  async run<T>(work: () => PromiseLike<T>): Promise<Loaded<T> | null> {
    if (this.#busy) return null;
    this.#busy = true;
    this.#problem = null;
    const outcome = await settle(work());
    this.#busy = false;
    this.#problem = outcome.problem;
    return outcome;
  }

  /** Forgets the last failure, for a dialog that is opened again. */
  clear(): void {
    this.#problem = null;
  }
}
