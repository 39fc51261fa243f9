/** Stored readings: rows, chart series, CSV. Row level security shows only what was measured in the actor's tenure. */
import type { TelemetryQuery, TelemetryRow } from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import { AppError } from '../../_shared/errors.ts';
import { decodeCursor } from './page.ts';
import type { Page } from './page.ts';
import { isMine } from './device-rows.ts';
import { missing } from './devices.ts';

interface StoredRow {
  /** microseconds, exact: cursors need them */
  us: string;
  ts: string;
  seq: number | null;
  data: Record<string, unknown>;
}

/** The newest `limit` rows, or those around a cursor; always oldest first. */
export async function readRows(db: Db, serial: string, query: TelemetryQuery): Promise<Page<TelemetryRow>> {
  const device = await findDevice(db, serial);
  const forward = query.after !== undefined;
  const cursor = query.after ?? query.before;
  const at = cursor === undefined ? null : toMicros(decodeCursor(cursor, 1)[0]);
  const { from, to } = range(query);
  const metrics = query.metrics ?? null;
  const rows = await db<StoredRow[]>`
    select t.ts, t.seq, t.data, (extract(epoch from t.ts) * 1000000)::bigint::text as us
    from public.telemetry t
    where t.device_num = ${device.num}
      and t.ts >= ${from === null ? db`now() - make_interval(hours => ${query.hours})` : db`${from}::timestamptz`}
      and t.ts <= ${to === null ? db`now() + interval '5 minutes'` : db`${to}::timestamptz`}
      ${metrics === null ? db`` : db`and t.data ?| ${metrics}::text[]`}
      ${at === null ? db`` : forward ? db`and t.ts > ${micros(db, at)}` : db`and t.ts < ${micros(db, at)}`}
    order by t.ts ${forward ? db`asc` : db`desc`} limit ${query.limit + 1}`;
  const more = rows.length > query.limit;
  const kept = rows.slice(0, query.limit);
  if (!forward) kept.reverse();
  const edge = (row: StoredRow | undefined) => (row === undefined ? null : [row.us]);
  return {
    items: kept.map((row) => toRow(row, metrics)),
    next: (forward ? more : query.before !== undefined) ? edge(kept.at(-1)) : null,
    previous: (forward ? kept.length > 0 : more) ? edge(kept[0]) : null,
  };
}

/** The JSON of a TelemetryBuckets as the database wrote it: a hundred kilobytes nobody has to read on the way. */
export async function readBuckets(db: Db, serial: string, query: TelemetryQuery): Promise<string> {
  const { from, to } = range(query);
  const [row] = await db<{ buckets: string }[]>`
    select ec.telemetry_buckets(d.serial, ${query.hours}, ${query.metrics ?? null}::text[],
      ${from}::timestamptz, ${to}::timestamptz)::text as buckets
    from public.devices d where d.serial = ${serial} and ${isMine(db)}`;
  if (row === undefined) throw missing();
  return row.buckets;
}

function range(query: TelemetryQuery): { from: string | null; to: string | null } {
  const from = query.from ?? null;
  const to = query.to ?? null;
  if (from !== null && to !== null && from >= to) {
    throw new AppError('invalid_request', 'from must lie before to.', {
      issues: [{ path: ['from'], code: 'custom', message: 'must lie before to' }],
    });
  }
  return { from, to };
}

function toRow(row: StoredRow, metrics: string[] | null): TelemetryRow {
  const data = metrics === null ? row.data : pick(row.data, metrics);
  return { timestamp: row.ts, ...(row.seq === null ? {} : { seq: row.seq }), ...data };
}

function pick(data: Record<string, unknown>, keys: string[]): Record<string, unknown> {
  return Object.fromEntries(keys.filter((key) => Object.hasOwn(data, key)).map((key) => [key, data[key]]));
}

function toMicros(value: string | number | null | undefined): string {
  if (typeof value === 'string' && /^\d{1,17}$/.test(value)) return value;
  throw new AppError('invalid_request', 'This cursor is not valid; start again without it.');
}

/** Exact, unlike to_timestamp of a float. */
function micros(db: Db, at: string): ReturnType<Db> {
  return db`timestamptz 'epoch' + ${at}::bigint * interval '1 microsecond'`;
}

async function findDevice(db: Db, serial: string): Promise<{ num: number }> {
  const [device] = await db<{ num: number }[]>`
    select d.num from public.devices d where d.serial = ${serial} and ${isMine(db)}`;
  if (device === undefined) throw missing();
  return device;
}
