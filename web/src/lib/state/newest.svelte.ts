import { settle, type Problem } from '#lib/problem.ts';

const PAUSE_MS = 200;

/**
 * The answer to a question that keeps changing: asked after a short pause, and only the newest counts. What was
 * answered last stays while the next answer is on its way.
 */
export class Newest<Q, A> {
  #answer = $state.raw<A | null>(null);
  #problem = $state.raw<Problem | null>(null);
  #pending = $state(false);
  #asked = 0;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #ask: (question: Q) => Promise<A>;

  constructor(ask: (question: Q) => Promise<A>) {
    this.#ask = ask;
  }

  get answer(): A | null {
    return this.#answer;
  }

  get problem(): Problem | null {
    return this.#problem;
  }

  get pending(): boolean {
    return this.#pending;
  }

  /** Null: there is nothing to ask, and what was answered does not count any more. */
  ask(question: Q | null): void {
    clearTimeout(this.#pause);
    const asked = ++this.#asked;
    this.#pending = question !== null;
    if (question === null) {
      this.#answer = null;
      this.#problem = null;
      return;
    }
    this.#pause = setTimeout(() => void this.#run(question, asked), PAUSE_MS);
  }

  async #run(question: Q, asked: number): Promise<void> {
    const { data, problem } = await settle(this.#ask(question));
    if (asked !== this.#asked) return;
    this.#pending = false;
    this.#answer = data;
    this.#problem = problem;
  }
}
