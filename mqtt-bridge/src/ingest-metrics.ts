import type { Counter, Histogram, Metrics } from './metrics.ts';
import type { Incoming } from './session.ts';
import type { IngestResult } from './sql/ingest-telemetry.ts';

export interface IngestGauges {
  buffered(): number;
  unacked(): number;
  /** performance.now() when the oldest unacknowledged message came, or undefined */
  oldest(): number | undefined;
  up(): boolean;
  leading(): boolean;
}

/** The numbers of the ingest role. Counts of packets are what the database said, not what was sent to it. */
export class IngestMetrics {
  readonly latency: Histogram;
  readonly ignored: Counter;
  readonly refused: Counter;
  readonly disconnects: Counter;
  readonly #messages: Counter;
  readonly #redelivered: Counter;
  readonly #accepted: Counter;
  readonly #duplicate: Counter;
  readonly #rejected: Counter;

  constructor(metrics: Metrics, gauges: IngestGauges) {
    this.#messages = metrics.counter('ec_bridge_received_total', 'MQTT messages received');
    this.#redelivered = metrics.counter('ec_bridge_redelivered_total', 'of these, sent again by the broker');
    this.#accepted = metrics.counter('ec_bridge_accepted_total', 'Packets stored');
    this.#duplicate = metrics.counter('ec_bridge_duplicate_total', 'Packets that were stored already');
    this.#rejected = metrics.counter(
      'ec_bridge_rejected_total',
      'Packets the database put into the dead letters',
    );
    this.refused = metrics.counter(
      'ec_bridge_refused_total',
      'Packets put into the dead letters by the bridge',
    );
    this.ignored = metrics.counter(
      'ec_bridge_ignored_total',
      'Messages passed over: retained, or of no known kind',
    );
    this.disconnects = metrics.counter('ec_bridge_disconnects_total', 'Broker connections lost');
    this.latency = metrics.histogram('ec_bridge_commit_seconds', 'From arrival of a message to its commit');
    metrics.gauge('ec_bridge_buffered', 'Messages in memory, not committed', gauges.buffered);
    metrics.gauge('ec_bridge_unacked', 'Messages not acknowledged to the broker', gauges.unacked);
    metrics.gauge('ec_bridge_oldest_unacked_seconds', 'Age of the oldest of these', () => {
      const since = gauges.oldest();
      return since === undefined ? 0 : (performance.now() - since) / 1000;
    });
    metrics.gauge('ec_bridge_broker_connected', '1 when subscribed', () => Number(gauges.up()));
    metrics.gauge('ec_bridge_leading', '1 when this process ingests, 0 when it stands by', () =>
      Number(gauges.leading()),
    );
  }

  received(message: Incoming): void {
    this.#messages.add();
    if (message.dup) this.#redelivered.add();
  }

  result({ accepted, duplicate, rejected }: IngestResult): void {
    this.#accepted.add(accepted);
    this.#duplicate.add(duplicate);
    this.#rejected.add(rejected);
  }
}
