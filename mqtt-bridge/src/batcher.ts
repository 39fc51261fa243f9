import { errorText, type Log } from './log.ts';
import type { Work } from './work.ts';

/** Work of one message and whatever the caller wants back when it is stored. */
export interface Job<T> {
  work: Work;
  token: T;
  /** performance.now() at arrival */
  arrived: number;
}

export interface BatcherOptions<T> {
  /** Batches under way at once. A device always has the same lane, so its packets stay in order. */
  lanes: number;
  maxItems: number;
  maxWaitMs: number;
  /**
   * Most packets of one device without a time of their own in a batch. Re-delivered after a crash they are
   * recognised among the last 64 stored, so no more may be committed and unacknowledged: two batches' worth.
   */
  maxTimeless: number;
  /** Resolves when committed, rejects when it should be tried again. */
  prepare(works: Work[]): { attempt(): Promise<void> };
  /** Resolves when the broker was told. */
  onStored(jobs: Job<T>[]): Promise<void>;
  log: Log;
}

/** Collects messages into batches and stores them, lane by lane, until it works. */
export class Batcher<T> {
  readonly #o: BatcherOptions<T>;
  readonly #lanes: Lane<T>[];
  readonly #reasons = new Set<string>();

  constructor(options: BatcherOptions<T>) {
    this.#o = options;
    this.#lanes = Array.from({ length: options.lanes }, () => new Lane(options));
  }

  add(job: Job<T>): void {
    (this.#lanes[laneOf(job.work.serial, this.#o.lanes)] as Lane<T>).add(job);
  }

  /** The database did not take the last attempt of some lane. */
  get failing(): boolean {
    return this.#lanes.some((lane) => lane.failing);
  }

  /** Starts no new batch until every reason given is released. */
  hold(reason: string): void {
    this.#reasons.add(reason);
    for (const lane of this.#lanes) lane.hold();
  }

  release(reason: string): void {
    this.#reasons.delete(reason);
    if (this.#reasons.size === 0) for (const lane of this.#lanes) lane.release();
  }

  /** Takes out what no batch has yet and `which` names. */
  discard(which: (token: T) => boolean): Job<T>[] {
    return this.#lanes.flatMap((lane) => lane.discard(which));
  }

  /** Stores everything collected without waiting for more; resolves when idle. Rejects never. */
  async flush(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.flush()));
  }

  /** Gives up on retries: what is not stored by now stays unacknowledged. */
  abandon(): void {
    for (const lane of this.#lanes) lane.abandon();
  }
}

class Lane<T> {
  failing = false;
  readonly #o: BatcherOptions<T>;
  #queue: Job<T>[] = [];
  #items = 0;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #held = false;
  #flushing = false;
  #abandoned = false;
  #giveUp: () => void = () => {};
  readonly #given = new Promise<void>((resolve) => (this.#giveUp = resolve));
  /** Acknowledgement of the last batch, and of the one before. */
  #acks: [Promise<void>, Promise<void>] = [Promise.resolve(), Promise.resolve()];

  constructor(options: BatcherOptions<T>) {
    this.#o = options;
  }

  add(job: Job<T>): void {
    this.#queue.push(job);
    this.#items += job.work.telemetry.length || 1;
    this.#plan();
  }

  hold(): void {
    this.#held = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  release(): void {
    this.#held = false;
    this.#plan();
  }

  discard(which: (token: T) => boolean): Job<T>[] {
    const out = this.#queue.filter((job) => which(job.token));
    this.#queue = this.#queue.filter((job) => !which(job.token));
    this.#items = this.#queue.reduce((sum, job) => sum + (job.work.telemetry.length || 1), 0);
    return out;
  }

  #plan(): void {
    const [oldest] = this.#queue;
    if (!oldest || this.#running || this.#held || this.#abandoned) return;
    const wait = this.#flushing ? 0 : this.#o.maxWaitMs - (performance.now() - oldest.arrived);
    if (this.#items >= this.#o.maxItems || wait <= 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#running = this.#run(this.#take()).finally(() => {
        this.#running = undefined;
        this.#plan();
      });
    } else {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.#plan();
      }, Math.ceil(wait));
    }
  }

  #take(): Job<T>[] {
    const timeless = new Map<string, number>();
    let items = 0;
    let end = 0;
    for (; end < this.#queue.length; end++) {
      const { work } = this.#queue[end] as Job<T>;
      const size = work.telemetry.length || 1;
      const without = (timeless.get(work.serial) ?? 0) + work.timeless;
      if (
        end > 0 &&
        (items + size > this.#o.maxItems || (work.timeless > 0 && without > this.#o.maxTimeless))
      )
        break;
      if (work.timeless > 0) timeless.set(work.serial, without);
      items += size;
    }
    this.#items -= items;
    return this.#queue.splice(0, end);
  }

  async #run(jobs: Job<T>[]): Promise<void> {
    const batch = this.#o.prepare(jobs.map(({ work }) => work));
    // Another lane may hold back older acknowledgements; how far this one runs ahead is bounded.
    await this.#acks[1];
    for (let failures = 0; !this.#abandoned; failures++) {
      try {
        await batch.attempt();
        this.failing = false;
        this.#acks = [this.#o.onStored(jobs), this.#acks[0]];
        return;
      } catch (error) {
        this.failing = true;
        const delay = Math.min(100 * 2 ** failures, 2_000);
        const extra = { error: errorText(error), messages: jobs.length, retry_ms: delay };
        this.#o.log('warn', 'the database does not take the batch, acknowledgements wait', extra);
        await Promise.race([new Promise((resolve) => setTimeout(resolve, delay)), this.#given]);
      }
    }
  }

  async flush(): Promise<void> {
    this.#flushing = true;
    this.release();
    while (this.#running && !this.#abandoned) await Promise.race([this.#running, this.#given]);
    this.#flushing = false;
  }

  abandon(): void {
    this.#abandoned = true;
    this.#giveUp();
  }
}

/** FNV-1a over the serial. */
function laneOf(serial: string, lanes: number): number {
  if (lanes === 1) return 0;
  let hash = 0x811c9dc5;
  for (let i = 0; i < serial.length; i++) hash = Math.imul(hash ^ serial.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % lanes;
}
