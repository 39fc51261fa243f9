import type { Packet } from '../../../cli/src/simulate/index.ts';
import { beatOf, profileOf } from './board.ts';
import { historyTimes, RAW_DAYS } from './history-times.ts';
import type { DemoDevice } from './plan.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;

/** The short keys a device's rows carry. */
export interface DeviceNumbers {
  serial: string;
  device_num: number;
  org_num: number;
  tenure_id: number;
}

/** A device's past as text for COPY. */
export interface HistoryRows {
  readings: number;
  /** public.telemetry (device_num, ts, received_at, org_num, tenure_id, data) */
  telemetry: string;
  /** Level → rows of public.rollups_<level> (device_num, bucket, tenure_id, org_num, keys, counts, mins, maxs, sums) */
  rollups: Record<RollupLevel, string>;
}

/** The levels written at once. Hours and days above them follow by cron. */
export const ROLLUP_LEVELS = { '1m': MINUTE, '5m': 5 * MINUTE, '15m': 15 * MINUTE } as const;
export type RollupLevel = keyof typeof ROLLUP_LEVELS;
const LEVELS = Object.keys(ROLLUP_LEVELS) as RollupLevel[];

/**
 * What a device sent until `until`, and the roll-ups of every bucket that is over by then, computed from the
 * same readings as the database's own job would.
 */
export function historyRows(device: DemoDevice, numbers: DeviceNumbers, until: number): HistoryRows {
  const profile = profileOf(device);
  const { device_num, org_num, tenure_id } = numbers;
  const sums = LEVELS.map((level) => ({ level, rollup: new Rollup(numbers, ROLLUP_LEVELS[level], until) }));
  const rows: HistoryRows = { readings: 0, telemetry: '', rollups: { '1m': '', '5m': '', '15m': '' } };
  for (const at of historyTimes(device.serial, until, beatOf(device), device.silentForH)) {
    const packet = profile.sample(at);
    rows.readings++;
    for (const { level, rollup } of sums) rows.rollups[level] += rollup.add(at, packet);
    if (at < until - RAW_DAYS * DAY) continue;
    const time = new Date(at).toISOString();
    rows.telemetry += `${device_num}\t${time}\t${time}\t${org_num}\t${tenure_id}\t${JSON.stringify(packet)}\n`;
  }
  for (const { level, rollup } of sums) rows.rollups[level] += rollup.end();
  return rows;
}

interface Sum {
  n: number;
  min: number;
  max: number;
  sum: number;
}

/** Sums up readings that come in order, bucket by bucket. Gives the row of a bucket when the next one begins. */
class Rollup {
  readonly #numbers: DeviceNumbers;
  readonly #width: number;
  readonly #until: number;
  #bucket = -1;
  #sums = new Map<string, Sum>();

  constructor(numbers: DeviceNumbers, width: number, until: number) {
    this.#numbers = numbers;
    this.#width = width;
    this.#until = until;
  }

  add(at: number, packet: Packet): string {
    const bucket = Math.floor(at / this.#width) * this.#width;
    const finished = bucket === this.#bucket ? '' : this.end();
    this.#bucket = bucket;
    for (const [key, value] of Object.entries(packet)) {
      if (typeof value !== 'number') continue;
      const known = this.#sums.get(key);
      if (!known) {
        this.#sums.set(key, { n: 1, min: value, max: value, sum: value });
        continue;
      }
      known.n++;
      known.sum += value;
      if (value < known.min) known.min = value;
      if (value > known.max) known.max = value;
    }
    return finished;
  }

  /** The row of the current bucket, or nothing when there is none or it is not over yet. */
  end(): string {
    const sums = [...this.#sums].sort(([a], [b]) => (a < b ? -1 : 1));
    this.#sums = new Map();
    if (sums.length === 0 || this.#bucket + this.#width > this.#until) return '';
    const { device_num, tenure_id, org_num } = this.#numbers;
    const list = (pick: (sum: Sum) => number) => `{${sums.map(([, sum]) => pick(sum)).join(',')}}`;
    return (
      `${device_num}\t${new Date(this.#bucket).toISOString()}\t${tenure_id}\t${org_num}\t` +
      `{${sums.map(([key]) => key).join(',')}}\t${list((s) => s.n)}\t${list((s) => s.min)}\t` +
      `${list((s) => s.max)}\t${list((s) => s.sum)}\n`
    );
  }
}
