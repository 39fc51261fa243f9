import { createArrivalClock, parseTopic } from '@edgeconductor/sdk/contract';
import { AckOrder, type Ticket } from './ack-order.ts';
import { Batcher, type Job } from './batcher.ts';
import type { Config } from './config.ts';
import { Database } from './db.ts';
import { HANDLERS } from './handlers/index.ts';
import { IngestMetrics } from './ingest-metrics.ts';
import { Leader } from './leader.ts';
import { errorText, type Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { RunningRole } from './role.ts';
import { Session, type Incoming } from './session.ts';
import { recordHeartbeat } from './sql/record-heartbeat.ts';
import { BatchStore } from './store.ts';
import { INGEST_FILTERS, INGEST_USER } from './topics.ts';

const MAX_BUFFERED_BYTES = 64 * 1024 * 1024;
/** How long messages of a lost connection wait for the broker to say whether it will send them again. */
const RECONNECT_GRACE_MS = 10_000;
/** A graceful stop that takes longer leaves the rest unacknowledged: the broker has it. */
const FLUSH_MS = 3_500;
const HEARTBEAT_MS = 10_000;

/** Messages of the broker → database → acknowledgement, in this order and no other. */
export class Ingest implements RunningRole {
  readonly #config: Config;
  readonly #db: Database;
  readonly #session: Session;
  readonly #order: AckOrder;
  readonly #batcher: Batcher<Ticket>;
  readonly #leader: Leader;
  readonly #metrics: IngestMetrics;
  readonly #arrival = createArrivalClock();
  #buffered = 0;
  #bufferedBytes = 0;
  #paused = false;
  #grace: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  readonly #log: Log;
  #stopping = false;

  constructor(config: Config, metrics: Metrics, log: Log) {
    this.#config = config;
    this.#log = log;
    const { dbUrl: url, mqttUrl, mqttPassword: password, mqttCaFile, lanes, receiveMaximum } = config;
    this.#db = new Database(url, { max: lanes + 1, name: 'ec-bridge-ingest', log });
    const ca = mqttCaFile === undefined ? {} : { caFile: mqttCaFile };
    this.#session = new Session({
      ...{ url: mqttUrl, user: INGEST_USER, password, filters: INGEST_FILTERS, receiveMaximum, log },
      ...ca,
    });
    this.#order = new AckOrder((messages) => this.#session.acknowledge(messages));
    this.#metrics = new IngestMetrics(metrics, {
      buffered: () => this.#buffered,
      unacked: () => this.#order.waiting,
      oldest: () => this.#order.oldest,
      up: () => this.#session.isUp,
      leading: () => this.#leader.leading,
    });
    this.#batcher = new Batcher({
      ...{ lanes, maxItems: 1_000, maxWaitMs: 20, maxTimeless: 32, log },
      prepare: (works) =>
        new BatchStore({ db: this.#db, log, onResult: (result) => this.#metrics.result(result) }, works),
      onStored: (jobs) => this.#stored(jobs),
    });
    this.#leader = new Leader({
      ...{ url, task: 'ingest', log },
      onLead: () => this.#lead(),
      onUnsure: () => this.#batcher.hold('lock'),
      onFollow: () => void this.#follow(),
    });
    this.#session.on('message', (message) => this.#take(message));
    this.#session.on('down', () => this.#down());
    this.#session.on('up', (present) => this.#up(present));
    this.#session.on('subscribed', () => this.#beat());
  }

  async start(): Promise<void> {
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS);
    await this.#leader.start();
  }

  get #works(): boolean {
    return this.#leader.leading && this.#session.isUp && !this.#batcher.failing;
  }

  #beat(): void {
    if (!this.#works) return;
    recordHeartbeat(this.#db, this.#config.name).catch((error) =>
      this.#log('warn', 'no heartbeat', { error: errorText(error) }),
    );
  }

  #lead(): void {
    this.#batcher.release('lock');
    this.#session.open();
  }

  /** Another bridge has the session now; the broker sends it everything that was not acknowledged. */
  async #follow(): Promise<void> {
    await this.#session.close();
    this.#forget(this.#batcher.discard(() => true));
    this.#order.reset();
  }

  #take(message: Incoming): void {
    const ticket = this.#order.take(message);
    this.#metrics.received(message);
    const topic = parseTopic(message.topic);
    const handle = topic ? HANDLERS[topic.kind] : undefined;
    // A retained message is a replay of something stored long ago, not a reading.
    if (!topic || !handle || message.retain) {
      this.#metrics.ignored.add();
      void this.#order.finish([ticket]);
      return;
    }
    const work = handle(topic.serial, message, this.#arrival);
    this.#metrics.refused.add(work.dead.length);
    this.#buffered++;
    this.#bufferedBytes += work.bytes;
    this.#batcher.add({ work, token: ticket, arrived: ticket.taken });
    const full = this.#buffered >= this.#config.receiveMaximum || this.#bufferedBytes > MAX_BUFFERED_BYTES;
    if (full && !this.#paused) {
      this.#paused = true;
      this.#session.pause();
    }
  }

  #stored(jobs: Job<Ticket>[]): Promise<void> {
    const now = performance.now();
    for (const { arrived } of jobs) this.#metrics.latency.observe((now - arrived) / 1000);
    this.#forget(jobs);
    return this.#order.finish(jobs.map(({ token }) => token));
  }

  #forget(jobs: Job<Ticket>[]): void {
    for (const { work } of jobs) this.#bufferedBytes -= work.bytes;
    this.#buffered -= jobs.length;
    const room =
      this.#buffered <= this.#config.receiveMaximum / 2 && this.#bufferedBytes < MAX_BUFFERED_BYTES / 2;
    if (this.#paused && room && !this.#stopping) {
      this.#paused = false;
      this.#session.resume();
    }
  }

  /** If the broker still has the session it will send these again: storing both copies is what DUP is for, but
   *  only the last 64 of a device are compared, so better not to need it. If it lost them, these are the last. */
  #down(): void {
    this.#metrics.disconnects.add();
    this.#batcher.hold('broker');
    this.#grace = setTimeout(() => this.#batcher.release('broker'), RECONNECT_GRACE_MS);
  }

  #up(present: boolean): void {
    clearTimeout(this.#grace);
    if (present) {
      const { generation } = this.#session;
      this.#forget(this.#batcher.discard(({ message }) => message.generation !== generation));
    }
    this.#order.reset();
    this.#batcher.release('broker');
  }

  healthy(): boolean {
    return this.#works || this.#leader.following;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#heartbeat);
    this.#session.pause();
    clearTimeout(this.#grace);
    const timer = setTimeout(() => this.#batcher.abandon(), FLUSH_MS);
    await this.#batcher.flush();
    clearTimeout(timer);
    await this.#session.close();
    await this.#leader.stop();
    await this.#db.close();
  }
}
