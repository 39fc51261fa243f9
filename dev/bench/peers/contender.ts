import type { Lab } from '../lab/lab.ts';
import type { BrokerKind, LabBroker } from '../lab/broker.ts';
import type { StoredDevice } from '../lab/books.ts';

/** A way from a broker's `devices/+/telemetry` into Postgres that runs against the same load as the others. */
export interface Contender {
  name: string;
  /** For the report. */
  label: string;
  /** What it does with a reading, and what it leaves out. */
  does: string;
  acknowledges: 'after commit' | 'before commit';
  broker: BrokerKind;
  /** Installs and creates what it needs; called once before the first run. */
  prepare?(lab: Lab): Promise<void>;
  /** Subscribes and begins to write. Resolves when everything published from now on will reach it. */
  start(lab: Lab, broker: LabBroker): Promise<Consumer>;
  store: Store;
}

export interface Consumer {
  pids(): number[];
  /** For what commits only at the end: told that everything was handed over. */
  finish?(): Promise<void>;
  stop(): Promise<void>;
}

/** Where the readings of a contender lie. */
export interface Store {
  clear(lab: Lab): Promise<void>;
  count(lab: Lab): Promise<number>;
  /** Rows inserted so far by Postgres' statistics: cheap, about a second old, counted since the table exists. */
  inserted(lab: Lab): Promise<number>;
  devices(lab: Lab, serials: string[], ackedOf: number[]): Promise<StoredDevice[]>;
  /** Epoch ms of the first and last commit that stored a reading. */
  commits(lab: Lab): Promise<{ first: number; last: number }>;
}

/** A store over any relation with the columns serial and counter; `xmin` gives the commit times. */
export function storeIn(relation: string, clear: (lab: Lab) => Promise<void>, source: string): Store {
  return {
    clear,
    async count(lab) {
      const { rows } = await lab.db.query<{ n: string }>(`select count(*) as n from ${relation}`);
      return Number(rows[0]!.n);
    },
    async inserted(lab) {
      const { rows } = await lab.db.query<{ n: string }>(
        `select coalesce(sum(pg_stat_get_tuples_inserted(relid)), 0) as n
         from (select relid from pg_partition_tree($1::regclass) union select $1::regclass) t`,
        [relation],
      );
      return Number(rows[0]!.n);
    },
    async devices(lab, serials, ackedOf) {
      const { rows } = await lab.db.query<{ serial: string; rows: string; distinct: string; within: string }>(
        `select r.serial, count(*) as rows, count(distinct r.counter) as distinct,
           count(distinct r.counter) filter (where r.counter <= a.acked) as within
         from (${source}) r join unnest($1::text[], $2::int[]) a (serial, acked) using (serial)
         group by r.serial`,
        [serials, ackedOf],
      );
      return rows.map((row) => ({
        serial: row.serial,
        rows: Number(row.rows),
        distinct: Number(row.distinct),
        within: Number(row.within),
      }));
    },
    async commits(lab) {
      const { rows } = await lab.db.query<{ first: number; last: number }>(
        `select extract(epoch from min(at)) * 1000 as first, extract(epoch from max(at)) * 1000 as last
         from (select pg_xact_commit_timestamp(x) as at from (select distinct xmin as x from ${relation}) d) c`,
      );
      return { first: Number(rows[0]!.first), last: Number(rows[0]!.last) };
    },
  };
}

/** The peers' table: what a tutorial would create. Serial and body, no key, no state beside it. */
export const peerStore: Store = storeIn(
  'public.bench_readings',
  async (lab) => {
    await lab.db.query(
      `create table if not exists public.bench_readings (
         serial text not null, received_at timestamptz not null default now(), data jsonb not null)`,
    );
    await lab.db.query('truncate public.bench_readings');
    await lab.db.query('checkpoint');
  },
  `select serial, (data ->> 'uptime')::int as counter from public.bench_readings`,
);
