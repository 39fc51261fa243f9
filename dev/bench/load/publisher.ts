import { Connection, type Login, type Target } from './connection.ts';
import { payload, telemetryTopic } from './frames.ts';
import { Ledger } from './ledger.ts';
import { closedLoop, openLoop, type Pace } from './pace.ts';

export interface PublisherOptions {
  target: Target;
  /** Serials in the order of their turn. */
  serials: string[];
  /** One login = one connection; device i publishes over connection i mod n. */
  logins: Login[];
}

export type Mode =
  | { kind: 'closed'; window: number; seconds?: number; readings?: number }
  | { kind: 'open'; rate: number; seconds: number };

export interface Outcome {
  sent: number;
  acked: number;
  /** Epoch ms of the first reading's due time and of the last acknowledgement. */
  startedAt: number;
  lastAckAt: number;
  /** Acknowledged readings per device, in the order of `serials`. */
  ackedOf: Int32Array;
  /** Open loop: how late readings left the generator, ms. Its own lateness is part of what is measured. */
  lateness: { p50: number; p99: number; max: number };
}

const CONNECTS_AT_ONCE = 50;

/** Publishes readings of many devices in turn, so that no batch of the bridge holds the same device twice. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #topics: Buffer[];
  readonly #ledger: Ledger;
  #connections: Connection[] = [];
  #failure: string | undefined;
  #lastAckAt = 0;
  #paused = false;
  #finishing = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#topics = options.serials.map(telemetryTopic);
    this.#ledger = new Ledger(options.serials.length);
  }

  get progress(): { sent: number; acked: number } {
    return { sent: this.#ledger.sentTotal, acked: this.#ledger.ackedTotal };
  }

  async connect(): Promise<void> {
    const waiting = [...this.#options.logins.entries()];
    const opened: Connection[] = [];
    const worker = async (): Promise<void> => {
      for (let next = waiting.shift(); next; next = waiting.shift())
        opened[next[0]] = await Connection.open(
          this.#options.target,
          next[1],
          (device) => {
            this.#ledger.ack(device);
            this.#lastAckAt = clock();
          },
          (why) => (this.#failure ??= why),
        );
    };
    await Promise.all(Array.from({ length: CONNECTS_AT_ONCE }, worker));
    this.#connections = opened;
  }

  /** Ends the run before its mode does: nothing new is sent, what was sent is still waited for. */
  finish(): void {
    this.#finishing = true;
  }

  /** Holds back while what was published waits elsewhere; acknowledgements still count. */
  pause(paused: boolean): void {
    this.#paused = paused;
  }

  /** Runs to the end of the mode and until everything is acknowledged. Rejects when a connection breaks. */
  async run(mode: Mode): Promise<Outcome> {
    const startedAt = clock();
    const pace = paceOf(mode, startedAt);
    const lateness = new Lateness();
    while (!this.#finishing && !pace.done(clock(), this.#ledger.sentTotal)) {
      if (this.#failure) throw new Error(this.#failure);
      const now = clock();
      const due = this.#paused ? 0 : pace.allowed(now, this.#ledger.ackedTotal);
      const sent = this.#sendUpTo(due);
      if (mode.kind === 'open' && sent > 0)
        lateness.note(now - (startedAt + ((this.#ledger.sentTotal - sent) * 1_000) / mode.rate));
      await turn(mode.kind === 'open' || sent === 0);
    }
    while (this.#ledger.inFlight > 0) {
      if (this.#failure) throw new Error(this.#failure);
      await turn(true);
    }
    return {
      sent: this.#ledger.sentTotal,
      acked: this.#ledger.ackedTotal,
      startedAt,
      lastAckAt: this.#lastAckAt,
      ackedOf: this.#ledger.acked,
      lateness: lateness.summary(),
    };
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  #sendUpTo(due: number): number {
    const { serials } = this.#options;
    const before = this.#ledger.sentTotal;
    // A turn sends at most so much, so that acknowledgements are read in between.
    const until = Math.min(due, before + 2_000);
    for (let k = before; k < until; k++) {
      const device = k % serials.length;
      const connection = this.#connections[device % this.#connections.length]!;
      if (connection.inFlight > 60_000 || !connection.writable) break;
      connection.publish(device, this.#topics[device]!, payload(device, this.#ledger.send(device)));
    }
    if (this.#ledger.sentTotal > before) for (const connection of this.#connections) connection.flush();
    return this.#ledger.sentTotal - before;
  }
}

function paceOf(mode: Mode, start: number): Pace {
  if (mode.kind === 'open') return openLoop(start, mode.rate, mode.seconds);
  return closedLoop(start, mode.window, mode);
}

/** Epoch ms with a fraction. */
function clock(): number {
  return performance.timeOrigin + performance.now();
}

/** Lets sockets be read; rests for a millisecond when there is nothing to send. */
function turn(rest: boolean): Promise<void> {
  return new Promise((resolve) => {
    if (rest) setTimeout(resolve, 1);
    else setImmediate(resolve);
  });
}

class Lateness {
  readonly #values: number[] = [];

  note(ms: number): void {
    this.#values.push(ms);
  }

  summary(): { p50: number; p99: number; max: number } {
    const sorted = this.#values.toSorted((a, b) => a - b);
    const at = (part: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
    return { p50: at(0.5), p99: at(0.99), max: at(1) };
  }
}
