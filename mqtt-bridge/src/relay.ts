import { randomBytes } from 'node:crypto';
import { Publisher } from './broker.ts';
import type { Config } from './config.ts';
import { Database } from './db.ts';
import { Leader } from './leader.ts';
import { Listener } from './listener.ts';
import { JobAdvance } from './job-advance.ts';
import { LiveSweep } from './live-sweep.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { Outbox } from './outbox.ts';
import { RetainedState } from './retained.ts';
import type { RunningRole } from './role.ts';
import { advanceOtaJobs } from './sql/advance-ota-jobs.ts';
import { sweepLive } from './sql/sweep-live.ts';
import { RELAY_USER } from './topics.ts';

/** Notifications are hints; this is the safety net behind them. */
const POLL_MS = 5_000;

/** Outbox → broker → device, the trailing edge of live screens, and the next devices of update jobs. */
export class Relay implements RunningRole {
  readonly #db: Database;
  readonly #publisher: Publisher;
  readonly #outbox: Outbox;
  readonly #retained: RetainedState;
  readonly #sweep: LiveSweep;
  readonly #jobs: JobAdvance;
  readonly #listener: Listener;
  readonly #leader: Leader;
  #poll: NodeJS.Timeout | undefined;

  constructor(config: Config, metrics: Metrics, log: Log) {
    const { dbUrl: url, mqttCaFile } = config;
    this.#db = new Database(url, { max: 2, name: 'ec-bridge-relay', log });
    const sent = metrics.counter(
      'ec_bridge_outbox_sent_total',
      'Messages to devices the broker acknowledged',
    );
    metrics.gauge('ec_bridge_relay_connected', '1 when the relay is connected to the broker', () =>
      Number(this.#publisher.isUp),
    );
    this.#publisher = new Publisher({
      ...{ url: config.mqttUrl, user: RELAY_USER, password: config.mqttPassword, log },
      ...(mqttCaFile === undefined ? {} : { caFile: mqttCaFile }),
      onUp: () => {
        log('info', 'relay connected to the broker');
        void this.#wake();
      },
      onDown: () => this.#retained.forget(),
    });
    this.#retained = new RetainedState({
      ...{ db: this.#db, log },
      read: (topic, waitMs) => this.#publisher.read(topic, waitMs),
      write: (topic, payload) => this.#publisher.publish({ topic, payload, qos: 1, retain: true }),
    });
    this.#outbox = new Outbox({
      db: this.#db,
      worker: `${config.name}:${process.pid}:${randomBytes(4).toString('hex')}`,
      publish: ({ topic, payload, qos, retain }, expiresInMs) =>
        this.#publisher.publish({
          topic,
          payload,
          qos: qos === 0 ? 0 : 1,
          retain,
          expiresInMs,
        }),
      onSent: (rows) => {
        sent.add(rows.length);
        void this.#retained.note(rows);
      },
      log,
    });
    this.#sweep = new LiveSweep(() => sweepLive(this.#db), log);
    this.#jobs = new JobAdvance(() => advanceOtaJobs(this.#db), log);
    const wake = (): void => void this.#wake();
    const advance = (): void => {
      if (this.#leader.leading) this.#jobs.wake();
    };
    this.#listener = new Listener({
      ...{ url, channels: ['ec_mqtt_outbox', 'ec_ota'], name: 'ec-bridge-relay-listen', log },
      onNotify: (_payload, channel) => (channel === 'ec_ota' ? advance() : wake()),
      onReady: () => {
        wake();
        advance();
      },
    });
    this.#poll = setInterval(wake, POLL_MS);
    this.#leader = new Leader({
      ...{ url, task: 'relay', log },
      onLead: () => {
        this.#publisher.open();
        this.#sweep.start();
        this.#jobs.wake();
      },
      onUnsure: () => {},
      onFollow: () => {
        void this.#publisher.pause();
        void this.#sweep.stop();
      },
    });
  }

  async start(): Promise<void> {
    await this.#listener.start();
    await this.#leader.start();
  }

  /** Before anything is sent, the retained messages of the broker are compared with what the database knows. */
  async #wake(): Promise<void> {
    if (!this.#publisher.isUp) return;
    await this.#retained.check();
    if (this.#publisher.isUp) this.#outbox.wake();
  }

  healthy(): boolean {
    return this.#leader.following || (this.#leader.leading && this.#publisher.isUp);
  }

  async stop(): Promise<void> {
    clearInterval(this.#poll);
    await this.#listener.stop();
    await this.#sweep.stop();
    await this.#jobs.stop();
    await this.#outbox.stop();
    await this.#publisher.close();
    await this.#leader.stop();
    await this.#db.close();
  }
}
