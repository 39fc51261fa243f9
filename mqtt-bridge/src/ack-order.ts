import type { Incoming } from './session.ts';

export interface Ticket {
  readonly message: Incoming;
  /** performance.now() */
  readonly taken: number;
  done: boolean;
  /** What to tell when this one is acknowledged. */
  told?: () => void;
}

/**
 * Acknowledgements leave in the order the messages came (MQTT 5, 4.6), however their batches finish.
 * A message of a former connection has nothing to acknowledge any more.
 */
export class AckOrder {
  #tickets: Ticket[] = [];
  #head = 0;
  readonly #acknowledge: (messages: Incoming[]) => void;

  constructor(acknowledge: (messages: Incoming[]) => void) {
    this.#acknowledge = acknowledge;
  }

  /** Messages taken and not yet acknowledged on this connection. */
  get waiting(): number {
    return this.#tickets.length - this.#head;
  }

  /** performance.now() when the oldest of them came. */
  get oldest(): number | undefined {
    return this.#tickets[this.#head]?.taken;
  }

  take(message: Incoming): Ticket {
    const ticket = { message, taken: performance.now(), done: false };
    this.#tickets.push(ticket);
    return ticket;
  }

  /**
   * Marks the tickets (of one batch, in their order) and acknowledges the longest finished prefix.
   * Resolves when the last of them is acknowledged, or never will be because its connection is gone.
   */
  finish(tickets: readonly Ticket[]): Promise<void> {
    const newest = this.#tickets[this.#head]?.message.generation;
    const last = tickets.at(-1);
    if (!last || last.message.generation !== newest) return Promise.resolve();
    return new Promise((resolve) => {
      last.told = resolve;
      for (const ticket of tickets) ticket.done = true;
      this.#advance();
    });
  }

  #advance(): void {
    const from = this.#head;
    while (this.#tickets[this.#head]?.done) this.#head++;
    if (this.#head === from) return;
    const finished = this.#tickets.slice(from, this.#head);
    this.#acknowledge(finished.map(({ message }) => message));
    for (const { told } of finished) told?.();
    if (this.#head < 4096 && this.#head < this.#tickets.length) return;
    this.#tickets.splice(0, this.#head);
    this.#head = 0;
  }

  /** A new connection: the broker re-sends what was waiting. */
  reset(): void {
    const gone = this.#tickets.splice(0);
    this.#head = 0;
    for (const { told } of gone) told?.();
  }
}
