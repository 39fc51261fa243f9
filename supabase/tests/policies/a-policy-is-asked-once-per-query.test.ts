import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database, type Session } from '../harness/database.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
  // A week of one device every 30 s in the default partition, and as much of a stranger's.
  for (const { num, device } of [world.org, world.stranger])
    await db.query(
      `insert into public.telemetry (device_num, ts, tenure_id, org_num, data)
       select $1, t, (select tenure_id from public.device_state where device_num = $1), $2, '{"temp":21.5,"hum":40,"co2":700}'
       from generate_series('2026-01-01Z'::timestamptz, '2026-01-08Z', '30 seconds') t`,
      [device.num, num],
    );
  await db.query('analyze public.telemetry');
});
afterAll(() => db.drop());

interface Node {
  'Node Type': string;
  'Parent Relationship'?: string;
  'Index Cond'?: string;
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  'Actual Loops': number;
  'Relation Name'?: string;
  Plans?: Node[];
}

async function explain(session: Session, sql: string, values: unknown[]): Promise<Node[]> {
  const [row] = await session.query<{ 'QUERY PLAN': { Plan: Node }[] }>(
    `explain (analyze, buffers, format json) ${sql}`,
    values,
  );
  const flatten = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(flatten)];
  return flatten(row!['QUERY PLAN'][0]!.Plan);
}

const WEEK = `select time_bucket, avg((data->>'temp')::float8) from (
    select date_bin('15 minutes', ts, '2000-01-01Z') as time_bucket, data from public.telemetry
    where device_num = $1 and ts >= '2026-01-01Z' and ts < '2026-01-08Z') x group by 1`;

/** Blocks the table's scans read, the policy's InitPlans included. */
const blocks = (plan: Node[]): number =>
  plan
    .filter((node) => node['Relation Name']?.startsWith('telemetry'))
    .reduce((sum, node) => sum + node['Shared Hit Blocks'] + node['Shared Read Blocks'], 0);

describe.each(['orgAdmin', 'viewer', 'partnerUser', 'admin', 'customer', 'tenant', 'apiKey'] as const)(
  '%s',
  (who) => {
    test('reads a week by the key, the policy in InitPlans, and as many blocks as its owner', async () => {
      const actor: Actor = world[who];
      const values = [world.org.device.num];
      const owner = await explain(db, WEEK, values);
      const plan = await db.as(actor, async (session) => {
        // A connection's first query also reads the catalog for the helpers.
        await session.query(WEEK, values);
        return explain(session, WEEK, values);
      });
      const initPlans = plan.filter((node) => node['Parent Relationship'] === 'InitPlan');
      expect(initPlans.length).toBeGreaterThan(0);
      expect(initPlans.every((node) => node['Actual Loops'] <= 1)).toBe(true);
      expect(plan.some((node) => node['Index Cond']?.includes('device_num'))).toBe(true);
      expect(blocks(plan)).toBeGreaterThan(50);
      expect(blocks(plan)).toBeLessThanOrEqual(blocks(owner) * 1.1);
    });
  },
);
