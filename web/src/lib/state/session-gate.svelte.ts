/** Whether the session ended while a page was open. What somebody wanted to save waits until they are back. */
export class SessionGate {
  #ended = $state(false);
  #waiting: (() => void)[] = [];

  /** A dialog to sign in again lies over the page. */
  get ended(): boolean {
    return this.#ended;
  }

  end(): void {
    this.#ended = true;
  }

  /** They are back: whatever waited goes on. */
  restore(): void {
    this.#ended = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }

  /** Settles when they are back; at once when they never left. */
  restored(): Promise<void> {
    return this.#ended ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve();
  }
}

export const sessionGate = new SessionGate();
