/** News of one asked topic, for everybody on the screen who wants it. */
export interface Watch {
  event(name: string, payload: unknown): void;
  /** Fetches the same news the slow way; called while the socket is down and once after every gap. */
  poll(): Promise<void>;
}

/** The socket as the hub sees it; lib/supabase implements it on Realtime. */
export interface LiveSocket {
  join(
    topic: string,
    on: { event: (name: string, payload: unknown) => void; joined: (yes: boolean) => void },
  ): () => void;
  close(): void;
}

/** Where the watchers of one asked topic sit: at a leased topic, joined or not. */
export class Seat {
  readonly watches = new Set<Watch>();
  #topic: string | null = null;
  #joined = false;
  #leave: () => void = () => {};
  #onChange: (event: boolean) => void;

  /** `onChange(true)` after an event, `onChange(false)` after joining or losing the topic. */
  constructor(onChange: (event: boolean) => void) {
    this.#onChange = onChange;
  }

  get joined(): boolean {
    return this.#joined;
  }

  /** Moves to a topic; another epoch is another topic, null is none. */
  take(socket: LiveSocket, topic: string | null): void {
    if (topic !== null && this.#topic === topic) return;
    this.vacate();
    if (topic === null) return;
    this.#topic = topic;
    this.#leave = socket.join(topic, {
      joined: (yes) => this.#settle(yes),
      event: (name, payload) => {
        for (const watch of this.watches) watch.event(name, payload);
        this.#onChange(true);
      },
    });
  }

  vacate(): void {
    this.#leave();
    this.#leave = () => {};
    this.#topic = null;
    this.#joined = false;
  }

  poll(): Promise<void>[] {
    return [...this.watches].map((watch) => watch.poll());
  }

  #settle(joined: boolean): void {
    // Whatever happened before the topic was joined must be asked for.
    if (joined && !this.#joined) for (const poll of this.poll()) poll.catch(() => {});
    this.#joined = joined;
    this.#onChange(false);
  }
}
