import type { Item } from '../harness/fleet.ts';

/** What TEL and ANO say, one packet after the other, written without looking at the SQL. */
export const METRICS = ['temp', 'hum', 'co2', 'bat'] as const;
type Metric = (typeof METRICS)[number];

const FLOORS: Record<Metric, { deviation: number; denominator: number }> = {
  temp: { deviation: 2, denominator: 10 },
  hum: { deviation: 5, denominator: 20 },
  co2: { deviation: 100, denominator: 400 },
  bat: { deviation: 0.2, denominator: 3 },
};

interface Row {
  ts: number;
  received_at: number;
  seq: number | null;
  data: Record<string, unknown>;
}
export interface Deviation {
  metric: Metric;
  ts: number;
  value: number;
  mean: number;
  pct: number;
}

export class ReferenceDevice {
  rows: Row[] = [];
  deviations: Deviation[] = [];
  duplicates = 0;
  reported: Record<string, unknown> = {};
  older: Record<string, string> = {};
  reportedAt: number | null = null;
  version = 0;
  lastSeen: number | null = null;
  connectedAt: number | null = null;
  lastSeq: number | null = null;
  windows: Record<Metric, number[]> = { temp: [], hum: [], co2: [], bat: [] };

  take({ d, r, t = null, q = null, dup = false }: Item): void {
    const ts = t === null ? r : t * 1000;
    if (dup && t === null && this.#isRedelivered(d, q)) return void this.duplicates++;
    if (this.rows.some((row) => row.ts === ts)) return void this.duplicates++;
    this.rows.push({ ts, received_at: r, seq: q, data: d });
    this.lastSeen = Math.max(this.lastSeen ?? r, r);
    this.connectedAt ??= r;
    if (this.reportedAt === null || ts > this.reportedAt) this.#move(ts, d, q);
  }

  #isRedelivered(d: Record<string, unknown>, q: number | null): boolean {
    return this.rows
      .toSorted((a, b) => b.ts - a.ts)
      .slice(0, 64)
      .some((row) => row.ts === row.received_at && row.seq === q && same(row.data, d));
  }

  #move(ts: number, d: Record<string, unknown>, q: number | null): void {
    const before = this.reportedAt;
    this.older = Object.fromEntries(
      Object.keys(this.reported)
        .filter((key) => !(key in d))
        .map((key) => [key, this.older[key] ?? new Date(before! / 1000).toISOString()]),
    );
    this.reported = { ...this.reported, ...d };
    this.reportedAt = ts;
    this.version++;
    this.lastSeq = q ?? this.lastSeq;
    for (const metric of METRICS) {
      const value = d[metric];
      if (typeof value === 'number') this.#measure(metric, ts, value);
    }
  }

  #measure(metric: Metric, ts: number, value: number): void {
    const window = this.windows[metric];
    if (window.length === 29) {
      const mean = window.reduce((sum, reading) => sum + reading) / 29;
      const floor = FLOORS[metric];
      const pct = (100 * (value - mean)) / Math.max(Math.abs(mean), floor.denominator);
      if (Math.abs(value - mean) >= floor.deviation && Math.abs(pct) >= 20)
        this.deviations.push({ metric, ts, value, mean, pct });
      window.shift();
    }
    window.push(value);
  }

  state(): Record<string, unknown> {
    return {
      reported: this.reported,
      older: this.older,
      reported_version: this.version,
      reported_at: this.reportedAt,
      last_seen: this.lastSeen,
      last_telemetry_at: this.lastSeen,
      connected: this.connectedAt !== null,
      connected_changed_at: this.connectedAt,
      active: this.rows.length > 0,
      last_door: this.rows.length > 0 ? 'mqtt' : null,
      last_seq: this.lastSeq,
      w_temp: this.windows.temp,
      w_hum: this.windows.hum,
      w_co2: this.windows.co2,
      w_bat: this.windows.bat,
    };
  }
}

const same = (a: Record<string, unknown>, b: Record<string, unknown>): boolean =>
  JSON.stringify(Object.entries(a).toSorted()) === JSON.stringify(Object.entries(b).toSorted());
