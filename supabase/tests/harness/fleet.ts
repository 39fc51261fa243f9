import { randomBytes } from 'node:crypto';
import type { Database, Session } from './database.ts';

export interface FleetDevice {
  id: string;
  num: number;
  serial: string;
}

/** An item of `ec.ingest_telemetry`; `i` is given when the batch is made. */
export interface Item {
  s: string;
  d: Record<string, unknown>;
  /** arrival, µs */
  r: number;
  /** device time, ms */
  t?: number | null;
  q?: number | null;
  dup?: boolean;
}

export interface Outcome {
  accepted: number;
  duplicate: number;
  rejected: number;
  duplicates: number[];
  rejects: { i: number; reason: string }[];
}

/** 2026-11-20T10:00:00Z and a bit, so that no arrival falls on a whole millisecond. */
export const START_US = Date.UTC(2026, 10, 20, 10) * 1000 + 7;

export async function makeFleetOrg(db: Session, timezone = 'UTC'): Promise<{ id: string; num: number }> {
  const slug = `fleet-${randomBytes(4).toString('hex')}`;
  const [org] = await db.query<{ id: string; num: number }>(
    'insert into public.orgs (name, slug, timezone) values ($1, $1, $2) returning id, num',
    [slug, timezone],
  );
  return org!;
}

/** Devices as registering leaves them, without the cost of a secret each. */
export async function makeDevices(
  db: Session,
  orgId: string,
  count: number,
  productType = 'EC-CLIMATE-V1',
): Promise<FleetDevice[]> {
  const prefix = `D-${randomBytes(5).toString('hex')}-`;
  const devices = await db.query<FleetDevice>(
    `insert into public.devices (serial, product_type, maker_org_id, org_id, registered_by_kind, registered_by_id)
     select $1 || n, $2, $3, $3, 'user', gen_random_uuid() from generate_series(1, $4::int) n order by n
     returning id, num, serial`,
    [prefix, productType, orgId, count],
  );
  await db.query('select private.start_tenure(id, false) from unnest($1::uuid[]) id', [
    devices.map(({ id }) => id),
  ]);
  return devices;
}

/** One call, as the bridge and the HTTPS door make it. */
export function ingest(db: Session, items: Item[], door = 'mqtt'): Promise<Outcome> {
  const batch = items.map(({ s, d, r, t = null, q = null, dup }, i) => ({ i, s, d, r, t, q, dup }));
  return ingestText(db, JSON.stringify(batch), door);
}

export const ingestText = (db: Session, batch: string, door = 'mqtt'): Promise<Outcome> =>
  db.value('select ec.ingest_telemetry($1::json, $2)', [batch, door]);

/** Times of a device in µs, and everything else ingest keeps about it. */
export const readState = (db: Session, num: number): Promise<Record<string, unknown>> =>
  db.value(
    `select to_jsonb(x) from (
       select reported, older, reported_version, connected, active, last_door, last_seq, w_temp, w_hum, w_co2, w_bat,
         (extract(epoch from reported_at) * 1000000)::bigint as reported_at,
         (extract(epoch from last_seen) * 1000000)::bigint as last_seen,
         (extract(epoch from last_telemetry_at) * 1000000)::bigint as last_telemetry_at,
         (extract(epoch from connected_changed_at) * 1000000)::bigint as connected_changed_at
       from public.device_state where device_num = $1
     ) x`,
    [num],
  );

export const readRows = (db: Session, num: number): Promise<Record<string, unknown>[]> =>
  db.value(
    `select coalesce(jsonb_agg(to_jsonb(x) order by x.ts), '[]') from (
       select (extract(epoch from ts) * 1000000)::bigint as ts,
         (extract(epoch from received_at) * 1000000)::bigint as received_at, seq, data
       from public.telemetry where device_num = $1
     ) x`,
    [num],
  );

export const countRows = async (db: Database | Session): Promise<number> =>
  Number(await db.value('select count(*) from public.telemetry'));
