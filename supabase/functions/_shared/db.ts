/** The only door to Postgres. The login role ec_api may do nothing by itself; every request runs in a transaction
 *  as `authenticated` with its actor's claims, so row level security decides (architecture, decision 3). */
import postgres from 'postgres';

/** Tagged template that runs one statement; what services get. */
export type Db = postgres.Sql;

/** Identity as the policies understand it; see the helpers in schema private. */
export type Claims = { [key: string]: unknown };

const STATEMENT_TIMEOUT_MS = 15_000;

// Out of the driver as it goes over the wire: times with milliseconds and Z, bigint as number.
const types = {
  time: { to: 1184, from: [1184], serialize: (value: string) => value, parse: (text: string) => toIso(text) },
  count: { to: 20, from: [20], serialize: (value: number) => String(value), parse: Number },
};

/** `prepare: false`: a transaction pooler hands out another connection every time. */
export function connect(url: string, max: number, application_name = 'ec-api'): Db {
  return postgres(url, {
    max,
    prepare: false,
    idle_timeout: 60,
    connect_timeout: 5,
    types,
    onnotice: () => {},
    connection: { application_name },
  }) as unknown as Db;
}

/** Connections that requests take first, and how many of them are taken. */
interface Near {
  sql: Db;
  size: number;
  taken: number;
}
const near = new WeakMap<Db, Near>();

/**
 * The driver hands out the connection that rested longest, whose plans and caches are cold: a request at a time would
 * walk around the whole pool and find every one so. Requests of `sql` take one of these few first, and one of `sql`
 * when all are taken.
 */
export function keepNear(sql: Db, url: string, size: number): void {
  near.set(sql, { sql: connect(url, size, 'ec-api near'), size, taken: 0 });
}

async function reserve(sql: Db): Promise<{ connection: postgres.ReservedSql; release: () => void }> {
  const first = near.get(sql);
  const usesNear = first !== undefined && first.taken < first.size;
  if (usesNear) first.taken++;
  const put = (): void => {
    if (usesNear) first.taken--;
  };
  try {
    const connection = await ((usesNear ? first.sql : sql) as unknown as postgres.Sql).reserve();
    const release = (): void => {
      put();
      connection.release();
    };
    return { connection, release };
  } catch (error) {
    put();
    throw error;
  }
}

/** What the database is told about a request: whose it is, and for the audit trail its id and network address. */
export interface Asker {
  claims: Claims;
  requestId: string;
  address: string | null;
}

const committed = new WeakSet<Db>();

/**
 * The last statement of a request, and its commit, in one round trip: for what people feel at once. Nothing may follow
 * in the same transaction. `statement` carries its values as `literal`s; a driver that does not prepare asks for the
 * types of parameters first, which is one round trip more.
 */
export async function lastly<Row>(db: Db, statement: string): Promise<Row[]> {
  // What returns no rows adds no result of its own.
  const rows = (await db.unsafe(`${statement}; commit`)) as unknown as Row[];
  committed.add(db);
  return rows;
}

/**
 * Runs `work` in one transaction as the actor. `first` is SQL that runs in the same round trip as the start of the
 * transaction; its rows are handed to `work`.
 */
export async function asActor<T>(
  sql: Db,
  { claims, requestId, address }: Asker,
  first: string,
  work: (db: Db, firstRows: Record<string, unknown>[]) => Promise<T>,
): Promise<T> {
  const { connection, release } = await reserve(sql);
  try {
    const prelude =
      `begin; set local statement_timeout = ${STATEMENT_TIMEOUT_MS}; set local role authenticated; ` +
      `select set_config('request.jwt.claims', ${literal(JSON.stringify(claims))}, true), ` +
      `set_config('ec.request_id', ${literal(requestId)}, true), ` +
      `set_config('ec.client_address', ${literal(address ?? '')}, true); ${first}`;
    const results = (await connection.unsafe(prelude)) as unknown as Record<string, unknown>[][];
    const db = connection as unknown as Db;
    const result = await work(db, results.at(-1) ?? []);
    if (!committed.delete(db)) await connection.unsafe('commit');
    return result;
  } catch (error) {
    // A lost connection rolls back by itself.
    await connection.unsafe('rollback').catch(() => {});
    throw error;
  } finally {
    release();
  }
}

/** For the simple protocol, whatever `standard_conforming_strings` says. Refuses NUL, which Postgres cannot hold. */
export function literal(text: string): string {
  if (text.includes('\0')) throw new RangeError('NUL in a SQL literal');
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

function toIso(text: string): string | null {
  const time = new Date(text);
  // `infinity` has no ISO form
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}

/**
 * Within a request's transaction: runs `work` as ec_api itself, for functions that are granted to the API alone. The
 * actor's claims stay as they are.
 */
export async function asApi<T>(db: Db, work: () => Promise<T>): Promise<T> {
  await db`set local role none`;
  const result = await work();
  await db`set local role authenticated`;
  return result;
}
