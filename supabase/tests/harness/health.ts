import type { Actor, Database, Session } from './database.ts';

export interface Facts {
  serial: string;
  fw_version: string | null;
  reported: Record<string, unknown>;
  health: Record<string, Record<string, unknown>>;
  series: { bucket_s: number; series: Record<string, ([number, number, number, number] | null)[]> };
  battery: [number, number, number, number][];
  boots: { at: string; reason: string | null; fw_version: string | null; previous_uptime_s: number | null }[];
  packets: { hours: number; expected: number; received: number; duplicates: number; counters: number } | null;
  skew: { ms: number; packets: number } | null;
  track: [number, number, number][];
}

export const diagnose = (db: Database, actor: Actor, serial: string, hours = 24): Promise<Facts> =>
  db.as(actor, (session) => session.value('select ec.read_diagnostics($1, $2)', [serial, hours]));

export interface Row {
  /** Seconds before now. */
  ago: number;
  seq?: number | null;
  data?: Record<string, unknown>;
  /** How much later it arrived, ms; without one it carried no time of its own. */
  late?: number;
}

/** Rows as ingest leaves them. */
export const store = (db: Session, num: number, rows: Row[]): Promise<unknown> =>
  db.query(
    `insert into public.telemetry (device_num, ts, received_at, tenure_id, org_num, seq, data)
     select s.device_num, r.ts, coalesce(r.ts + r.late * interval '1 millisecond', r.ts), s.tenure_id, s.org_num, r.seq, r.data
     from (
       select case when late is null then date_trunc('second', now()) - ago * interval '1 second' + interval '7 microseconds'
         else date_trunc('second', now()) - ago * interval '1 second' end as ts, late, seq, data
       from jsonb_to_recordset($2) as x (ago float8, seq bigint, late float8, data jsonb)
     ) r
     cross join public.device_state s where s.device_num = $1`,
    [num, JSON.stringify(rows.map(({ data = {}, ...row }) => ({ ...row, data })))],
  );
