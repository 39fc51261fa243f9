import type { TelemetryAccepted, TelemetryBuckets, TelemetryRow } from '../contract/telemetry.ts';
import { EdgeConductorError } from '../errors.ts';
import { list } from '../pagination.ts';
import type { List } from '../pagination.ts';
import { path } from '../request.ts';
import type { Query, RequestOptions, Transport } from '../request.ts';

export interface HistoryOptions extends RequestOptions {
  hours?: 1 | 6 | 24 | 168;
  /** The newest N, returned oldest first; 1,000 by default, 10,000 at most. */
  limit?: number;
  metrics?: string[];
  /** Instead of `hours`. ISO 8601 or epoch milliseconds. */
  from?: string | number;
  to?: string | number;
}

export interface StreamOptions {
  /** How often to look; 5,000 by default. */
  intervalMs?: number;
  /** Called when looking failed; it goes on by itself. */
  onError?: (error: EdgeConductorError) => void;
  signal?: AbortSignal;
}

export class Telemetry {
  readonly #transport: Transport;
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Sends one packet, or a batch with their own `ts`. For the device itself or an API key with scope write.
   * @returns how many were stored, were known already, were refused (and why)
   */
  async push(
    serial: string,
    packets: object | object[],
    options?: RequestOptions,
  ): Promise<TelemetryAccepted> {
    const input = {
      method: 'POST',
      path: path`/devices/${serial}/telemetry`,
      body: packets,
      options,
    } as const;
    return (await this.#transport.request<TelemetryAccepted>(input)).data;
  }

  /** Stored packets, oldest first. `for await` goes on to newer ones than the first page. */
  history(serial: string, options: HistoryOptions = {}): List<TelemetryRow> {
    return list(this.#transport, path`/devices/${serial}/telemetry`, rangeQuery(options), options);
  }

  /** The newest packets, oldest first. */
  async recent(serial: string, limit = 10, options?: RequestOptions): Promise<TelemetryRow[]> {
    return this.history(serial, { ...options, hours: 168, limit });
  }

  /** At most 600 points a series, [time, min, avg, max]; null where nothing was measured. */
  async buckets(serial: string, options: HistoryOptions = {}): Promise<TelemetryBuckets> {
    const query = { ...rangeQuery(options), buckets: 'auto' };
    const input = { method: 'GET', path: path`/devices/${serial}/telemetry`, query, options } as const;
    return (await this.#transport.request<TelemetryBuckets>(input)).data;
  }

  /** The same range as text/csv. */
  csv(serial: string, options: HistoryOptions = {}): Promise<string> {
    const query = { ...rangeQuery(options), format: 'csv' };
    return this.#transport.requestText({
      method: 'GET',
      path: path`/devices/${serial}/telemetry`,
      query,
      options,
    });
  }

  /**
   * Calls back with every new packet, beginning with the newest one stored, until `stop()`.
   * @example
   * const watch = ec.telemetry.stream('EC-CLM-001', (row) => console.log(row.temp), { intervalMs: 5000 });
   * watch.stop();
   */
  stream(
    serial: string,
    callback: (row: TelemetryRow) => void,
    options: StreamOptions = {},
  ): { stop(): void } {
    const ended = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, ended.signal]) : ended.signal;
    const intervalMs = options.intervalMs ?? 5000;
    let last: string | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;

    const look = async (): Promise<void> => {
      try {
        const rows = await this.history(serial, {
          hours: last === undefined ? 168 : 1,
          limit: last === undefined ? 1 : 1000,
          signal,
        });
        for (const row of rows) {
          if (signal.aborted) return;
          if (last !== undefined && row.timestamp <= last) continue;
          last = row.timestamp;
          callback(row);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof EdgeConductorError)) throw error;
        options.onError?.(error);
      }
      if (!signal.aborted) timer = setTimeout(() => void look(), intervalMs);
    };
    void look();
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
    return { stop: () => ended.abort() };
  }
}

function rangeQuery({ hours, limit, metrics, from, to }: HistoryOptions): Query {
  return { hours, limit, metrics: metrics?.join(','), from, to };
}
