import type { Queryable } from './db.ts';
import { errorText, type Log } from './log.ts';
import { claimMqttOutbox, type OutboxRow } from './sql/claim-mqtt-outbox.ts';
import { finishMqttOutbox } from './sql/finish-mqtt-outbox.ts';
import { releaseMqttOutbox } from './sql/release-mqtt-outbox.ts';

const CLAIM = 500;

export interface OutboxOptions {
  db: Queryable;
  /** Name of this process in the leases. */
  worker: string;
  /** Resolves when the broker has it. `leftMs`: after so long nobody wants it any more, null = always. */
  publish(row: OutboxRow, leftMs: number | null): Promise<void>;
  onSent(rows: OutboxRow[]): void;
  log: Log;
}

/**
 * Empties ec.mqtt_outbox: claim, publish, finish at the PUBACK. Killed in between, the lease ends and the
 * message goes out again: at least once, and everything that acts carries an id or a version.
 */
export class Outbox {
  readonly #o: OutboxOptions;
  #wanted = false;
  #running: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #failures = 0;
  #stopped = false;

  constructor(options: OutboxOptions) {
    this.#o = options;
  }

  /** There may be something to send. Cheap: call it on every hint. */
  wake(): void {
    this.#wanted = true;
    if (this.#stopped || this.#retry) return;
    this.#running ??= this.#drain().finally(() => {
      this.#running = undefined;
      if (this.#wanted) this.wake();
    });
  }

  /** One pass at a time: messages of one topic must not overtake each other. */
  async #drain(): Promise<void> {
    while (this.#wanted && !this.#stopped) {
      this.#wanted = false;
      try {
        const asked = performance.now();
        const rows = await claimMqttOutbox(this.#o.db, this.#o.worker, CLAIM);
        if (rows.length === 0) return;
        await this.#send(rows, asked);
        this.#failures = 0;
        if (rows.length === CLAIM) this.#wanted = true;
      } catch (error) {
        const delay = Math.min(200 * 2 ** this.#failures++, 5_000);
        this.#o.log('warn', 'outbox waits', { error: errorText(error), retry_ms: delay });
        this.#wanted = false;
        this.#retry = setTimeout(() => {
          this.#retry = undefined;
          this.wake();
        }, delay);
      }
    }
  }

  /** What runs out between the claim and now is not sent: given back, nobody claims it again. */
  async #send(claimed: OutboxRow[], askedAt: number): Promise<void> {
    const { db, publish, onSent } = this.#o;
    const left = ({ expires_in_ms }: OutboxRow): number | null =>
      expires_in_ms === null ? null : expires_in_ms - (performance.now() - askedAt);
    const late = claimed.filter((row) => (left(row) ?? 1) <= 0);
    const rows = late.length === 0 ? claimed : claimed.filter((row) => !late.includes(row));
    const results = await Promise.allSettled(rows.map((row) => publish(row, left(row))));
    const of = (status: string): OutboxRow[] => rows.filter((_, i) => results[i]?.status === status);
    const sent = of('fulfilled');
    if (sent.length > 0) await finishMqttOutbox(db, idsOf(sent));
    onSent(sent);
    const unsent = idsOf([...of('rejected'), ...late]);
    if (unsent.length > 0) await releaseMqttOutbox(db, unsent);
    const failed = results.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
    if (failed) throw failed.reason;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retry);
    await this.#running;
  }
}

const idsOf = (rows: OutboxRow[]): string[] => rows.map(({ id }) => id);
