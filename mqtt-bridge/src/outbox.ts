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
  /** Resolves when the broker has it. */
  publish(row: OutboxRow): Promise<void>;
  onSent(n: number): void;
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
        const rows = await claimMqttOutbox(this.#o.db, this.#o.worker, CLAIM);
        if (rows.length === 0) return;
        await this.#send(rows);
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

  async #send(rows: OutboxRow[]): Promise<void> {
    const { db, publish, onSent } = this.#o;
    const results = await Promise.allSettled(rows.map((row) => publish(row)));
    const ids = (status: string): string[] =>
      rows.filter((_, i) => results[i]?.status === status).map(({ id }) => id);
    const sent = ids('fulfilled');
    if (sent.length > 0) await finishMqttOutbox(db, sent);
    onSent(sent.length);
    const unsent = ids('rejected');
    if (unsent.length === 0) return;
    await releaseMqttOutbox(db, unsent);
    throw (results.find(({ status }) => status === 'rejected') as PromiseRejectedResult).reason;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retry);
    await this.#running;
  }
}
