import pg from 'pg';
import { createDatabase } from '../../../dev/stack/testing.ts';

/** Who asks, as the API says it: only an identity, the database looks up the rest. */
export type Actor =
  { user: string } | { apiKey: string } | { provisioningKey: string } | { device: string } | 'nobody';

export interface Session {
  query<Row extends pg.QueryResultRow = Record<string, unknown>>(
    sql: string,
    values?: unknown[],
  ): Promise<Row[]>;
  /** The first column of the only row. */
  value<Value>(sql: string, values?: unknown[]): Promise<Value>;
}

export interface Database extends Session {
  /** The work in one committed transaction as the API does it: role ec_api, `authenticated`, claims. */
  as<Result>(actor: Actor, work: (session: Session) => Promise<Result>): Promise<Result>;
  /** A connection of one's own as a login role or the superuser `supabase_admin`; closed with the database. */
  connect(role: string): Promise<Session & { client: pg.Client }>;
  url(role?: string): string;
  drop(): Promise<void>;
}

const session = (client: pg.ClientBase): Session => ({
  async query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]) {
    return (await client.query<Row>(sql, values)).rows;
  },
  async value<Value>(sql: string, values?: unknown[]) {
    const { rows } = await client.query(sql, values);
    if (rows.length !== 1) throw new Error(`expected one row, got ${rows.length}: ${sql}`);
    return Object.values(rows[0]!)[0] as Value;
  },
});

/** A migrated database of one's own; queries on it itself run as `postgres`, past row level security. */
export async function openDatabase(): Promise<Database> {
  const database = await createDatabase();
  const clients: pg.Client[] = [];
  const open = async (role: string): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: database.url(role) });
    client.on('error', () => {});
    await client.connect();
    clients.push(client);
    return client;
  };
  const owner = session(await open('postgres'));
  const api = new pg.Pool({ connectionString: database.url('ec_api'), max: 8 });
  api.on('error', () => {});
  return {
    ...owner,
    async as(actor, work) {
      const client = await api.connect();
      try {
        await client.query('begin');
        await client.query('set local role authenticated');
        await client.query(`select set_config('request.jwt.claims', $1, true)`, [
          JSON.stringify(claimsOf(actor)),
        ]);
        const result = await work(session(client));
        await client.query('commit');
        return result;
      } catch (error) {
        await client.query('rollback');
        throw error;
      } finally {
        client.release();
      }
    },
    async connect(role) {
      const client = await open(role);
      return { ...session(client), client };
    },
    url: (role) => database.url(role),
    async drop() {
      await Promise.all([api, ...clients].map((client) => client.end().catch(() => {})));
      await database.drop();
    },
  };
}

export function claimsOf(actor: Actor): Record<string, unknown> {
  if (actor === 'nobody') return {};
  if ('user' in actor) return { role: 'authenticated', sub: actor.user };
  const role = 'authenticated';
  if ('apiKey' in actor) return { role, ec_kind: 'api_key', ec_id: actor.apiKey };
  if ('provisioningKey' in actor) return { role, ec_kind: 'provisioning_key', ec_id: actor.provisioningKey };
  return { role, ec_kind: 'device', ec_id: actor.device };
}
