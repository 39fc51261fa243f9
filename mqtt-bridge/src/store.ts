import { escapePayload } from '@edgeconductor/sdk/contract';
import { isDataError, isOutage, type Queryable } from './db.ts';
import { errorText, type Log } from './log.ts';
import { answerShadowGet } from './sql/answer-shadow-get.ts';
import { ingestTelemetry, type IngestResult } from './sql/ingest-telemetry.ts';
import { recordCommandAcks } from './sql/record-command-acks.ts';
import { recordDeadLetters } from './sql/record-dead-letters.ts';
import { recordOtaStatus } from './sql/record-ota-status.ts';
import { recordReported } from './sql/record-reported.ts';
import { recordStatus } from './sql/record-status.ts';
import { deadLetter, type Work } from './work.ts';

/** An error that is neither the data's nor an outage's (a bug, say) may sit on one item: look after this many tries. */
const SUSPECT_AFTER = 5;

type Kind = 'telemetry' | 'reported' | 'status' | 'asked' | 'acks' | 'ota' | 'dead';
/** In this order, so that an answer knows what was said before it; each is a transaction of its own, and repeating any of them stores nothing twice. */
const KINDS: readonly Kind[] = ['telemetry', 'reported', 'status', 'asked', 'acks', 'ota', 'dead'];

export interface StoreParts {
  db: Queryable;
  log: Log;
  onResult(result: IngestResult): void;
}

/** One batch on its way into the database; `attempt` until it resolves. What is stored is not stored again. */
export class BatchStore {
  readonly #parts: StoreParts;
  readonly #items = Object.fromEntries(KINDS.map((kind) => [kind, []])) as never as Record<Kind, string[]>;
  #attempts = 0;
  #stored = 0;

  constructor(parts: StoreParts, works: readonly Work[]) {
    this.#parts = parts;
    for (const work of works) for (const kind of KINDS) this.#items[kind].push(...work[kind]);
  }

  /** @throws while the database cannot take it: out of reach, restarting, or failing for every item alike */
  async attempt(): Promise<void> {
    this.#attempts++;
    for (const kind of KINDS) {
      const items = this.#items[kind];
      if (items.length === 0) continue;
      const culprits: Array<[string, unknown]> = [];
      await this.#store(kind, items, culprits);
      this.#items[kind] = [];
      for (const [item, error] of culprits) this.#condemn(kind, item, error);
    }
  }

  /** All together; if the data is to blame, halves, until the culprits are alone and their neighbours stored. */
  async #store(kind: Kind, items: string[], culprits: Array<[string, unknown]>): Promise<void> {
    try {
      await this.#call(kind, items);
      this.#stored += items.length;
    } catch (error) {
      const suspect = this.#attempts >= SUSPECT_AFTER && !isOutage(error);
      if (!isDataError(error) && !suspect) throw error;
      if (items.length === 1) {
        // Without any success it is the function that is broken, not this item: keep it.
        if (!isDataError(error) && this.#stored === 0) throw error;
        culprits.push([items[0] as string, error]);
        return;
      }
      const half = items.length >> 1;
      await this.#store(kind, items.slice(0, half), culprits);
      await this.#store(kind, items.slice(half), culprits);
    }
  }

  async #call(kind: Kind, items: string[]): Promise<void> {
    const { db, onResult } = this.#parts;
    if (kind === 'telemetry') onResult(await ingestTelemetry(db, items));
    else if (kind === 'reported') await recordReported(db, items);
    else if (kind === 'status') await recordStatus(db, items);
    else if (kind === 'asked') await answerShadowGet(db, items);
    else if (kind === 'acks') await recordCommandAcks(db, items);
    else if (kind === 'ota') await recordOtaStatus(db, items);
    else await recordDeadLetters(db, items);
  }

  #condemn(kind: Kind, item: string, error: unknown): void {
    const text = kind === 'telemetry' ? `{${item}` : item;
    const detail = errorText(error);
    this.#parts.log('error', 'the database refuses this item', {
      kind,
      error: detail,
      item: text.slice(0, 500),
    });
    if (kind !== 'telemetry' && kind !== 'reported') return;
    const { s, r } = JSON.parse(text) as { s: string; r: number };
    const payload = escapePayload(text);
    this.#items.dead.push(deadLetter({ s, reason: 'bad_value', detail, payload, bytes: text.length, r }));
  }
}
