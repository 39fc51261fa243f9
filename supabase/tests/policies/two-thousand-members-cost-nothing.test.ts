import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, type Database, type Session } from '../harness/database.ts';
import { makeDevices } from '../harness/fleet.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
  await makeDevices(db, world.org.id, 1000);
  await makeDevices(db, world.stranger.id, 1000);
  // Half of them staff, half tenants of two hundred rooms.
  await db.query(
    `with people as (
       insert into auth.users (id, email) select gen_random_uuid(), 'member-' || n || '@example.com' from generate_series(1, 2000) n
       returning id, email
     ), profiles as (insert into public.profiles (id, email) select id, email from people returning id), rooms as (
       insert into public.locations (org_id, type, name) select $1, 'room', 'Room ' || n from generate_series(1, 200) n returning id
     ), numbered as (select id, row_number() over () as n from profiles), places as (select id, row_number() over () as n from rooms)
     insert into public.memberships (user_id, role, org_id, location_id)
     select p.id, case when p.n % 2 = 0 then 'viewer' else 'tenant' end, $1, case when p.n % 2 = 1 then r.id end
     from numbered p join places r on r.n = p.n % 200 + 1`,
    [world.org.id],
  );
  for (const { num, device } of [world.org, world.stranger])
    await db.query(
      `insert into public.telemetry (device_num, ts, tenure_id, org_num, data)
       select $1, t, (select tenure_id from public.device_state where device_num = $1), $2, '{"temp":21.5}'
       from generate_series('2026-01-01Z'::timestamptz, '2026-01-08Z', '30 seconds') t`,
      [device.num, num],
    );
  await db.query(`select ec.rebuild_rollups(null, '2026-01-01Z', '2026-01-08Z')`);
  await db.query('analyze');
});
afterAll(() => db.drop());

interface Node {
  'Parent Relationship'?: string;
  'Actual Loops': number;
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
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
/** Blocks the scans of the tables read, the policies' InitPlans included. */
const blocks = (plan: Node[]): number =>
  plan
    .filter((node) => node['Relation Name'] && node['Parent Relationship'] !== 'InitPlan')
    .reduce((sum, node) => sum + node['Shared Hit Blocks'] + node['Shared Read Blocks'], 0);

const LIST = `select d.serial, s.reported from public.devices d
  left join public.device_state s on s.device_num = d.num where d.org_id = $1 order by d.serial limit 1000`;
const CHART = `select date_bin('15 minutes', ts, '2000-01-01Z') as bucket, avg((data->>'temp')::float8) from public.telemetry
  where device_num = $1 and ts >= '2026-01-01Z' and ts < '2026-01-08Z' group by 1`;

describe.each(['orgAdmin', 'viewer', 'partnerUser', 'admin', 'apiKey'] as const)('%s', (who) => {
  test.each([
    ['list', LIST],
    ['chart', CHART],
  ])('the %s asks the policy once and reads as much as its owner', async (name, sql) => {
    const values = [name === 'list' ? world.org.id : world.org.device.num];
    await explain(db, sql, values);
    const owner = await explain(db, sql, values);
    const plan = await db.as(world[who], async (session) => {
      // A connection's first query also reads the catalog for the helpers.
      await session.query(sql, values);
      return explain(session, sql, values);
    });
    const initPlans = plan.filter((node) => node['Parent Relationship'] === 'InitPlan');
    expect(initPlans.length).toBeGreaterThan(0);
    expect(initPlans.every((node) => node['Actual Loops'] <= 1)).toBe(true);
    expect(blocks(owner)).toBeGreaterThan(20);
    expect(blocks(plan)).toBeLessThanOrEqual(blocks(owner) * 1.1);
  });
});

const QUARTERS = `select bucket, sums from public.rollups_15m
  where device_num = $1 and bucket >= '2026-01-01Z' and bucket < '2026-01-08Z' order by bucket`;
/** Of the policy's own questions, in blocks: a small chart is hardly bigger than they are, so they have to stay few. */
const MOST_ASKED = 15;

test.each(['orgAdmin', 'viewer', 'partnerUser', 'admin', 'apiKey', 'customer', 'tenant'] as const)(
  'a week of quarters costs %s what it costs its owner and a handful of blocks, however many members there are',
  async (who) => {
    const values = [world.org.device.num];
    await explain(db, QUARTERS, values);
    const owner = await explain(db, QUARTERS, values);
    const plan = await db.as(world[who], async (session) => {
      await session.query(QUARTERS, values);
      return explain(session, QUARTERS, values);
    });
    const initPlans = plan.filter((node) => node['Parent Relationship'] === 'InitPlan');
    const asked = initPlans.reduce(
      (sum, node) => sum + node['Shared Hit Blocks'] + node['Shared Read Blocks'],
      0,
    );
    expect(initPlans.length).toBeGreaterThan(0);
    expect(initPlans.every((node) => node['Actual Loops'] <= 1)).toBe(true);
    expect(blocks(owner)).toBeGreaterThan(10);
    expect(blocks(plan) - asked).toBeLessThanOrEqual(blocks(owner) * 1.1);
    expect(asked).toBeLessThanOrEqual(MOST_ASKED);
  },
);
