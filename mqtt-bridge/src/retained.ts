import type { Queryable } from './db.ts';
import { errorText, type Log } from './log.ts';
import { readRetainedMark, restoreRetained } from './sql/restore-retained.ts';
import type { OutboxRow } from './sql/claim-mqtt-outbox.ts';
import { MARKER_TOPIC } from './topics.ts';

/** A broker sends a retained message at once on subscribing; nothing within this time means there is none. */
const ANSWER_MS = 1_000;
/** After a failure the messages go out unguarded until it is tried again. */
const RETRY_MS = 30_000;

export interface RetainedOptions {
  db: Queryable;
  /** The retained message of a topic, null when there is none within so many ms. */
  read(topic: string, waitMs: number): Promise<string | null>;
  /** Publishes retained; resolves at the PUBACK. */
  write(topic: string, payload: string): Promise<void>;
  log: Log;
}

/**
 * Notices that a broker lost retained messages, all of them or those since its last save, and has them sent again.
 * The marker is a retained message of the bridge itself: the id of the newest retained message before it. A broker
 * whose marker is missing or older than what the database knows as sent has forgotten something.
 */
export class RetainedState {
  readonly #o: RetainedOptions;
  #checked = false;
  #checking: Promise<void> | undefined;
  #retryAt = 0;

  constructor(options: RetainedOptions) {
    this.#o = options;
  }

  /** After every connect, before anything is sent: what is sent later moves the marker. Never throws. */
  check(): Promise<void> {
    if (this.#checked || Date.now() < this.#retryAt) return Promise.resolve();
    return (this.#checking ??= this.#compare().finally(() => (this.#checking = undefined)));
  }

  async #compare(): Promise<void> {
    const { db, read, write, log } = this.#o;
    try {
      const found = await read(MARKER_TOPIC, ANSWER_MS);
      const mark = await readRetainedMark(db);
      if (isBehind(found, mark)) {
        log('info', 'the broker lost retained messages, they are sent again', { marker: found, mark });
        await restoreRetained(db);
        await write(MARKER_TOPIC, mark);
      }
      this.#checked = true;
    } catch (error) {
      this.#retryAt = Date.now() + RETRY_MS;
      log('warn', 'cannot compare the retained messages of the broker', { error: errorText(error) });
    }
  }

  /** The connection is gone; who knows which broker, and with what, comes next. */
  forget(): void {
    this.#checked = false;
    this.#retryAt = 0;
  }

  /** These were acknowledged. */
  async note(rows: readonly OutboxRow[]): Promise<void> {
    const newest = rows.findLast(({ retain }) => retain);
    if (!this.#checked || !newest) return;
    // A marker that could not be written is older than the truth: more than needed is sent again, never less.
    await this.#o.write(MARKER_TOPIC, newest.id).catch(() => {});
  }
}

function isBehind(marker: string | null, mark: string): boolean {
  return marker === null || !/^\d{1,19}$/.test(marker) || BigInt(marker) < BigInt(mark);
}
