import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database, type Session } from '../harness/database.ts';
import { makeDevices, makeFleetOrg, type FleetDevice } from '../harness/fleet.ts';
import { makeMember } from '../harness/world.ts';

let db: Database;
let device: FleetDevice;
let orgAdmin: Actor;
beforeAll(async () => {
  db = await openDatabase();
  const org = await makeFleetOrg(db);
  orgAdmin = await makeMember(db, 'org', 'org_admin', { org: org.id });
  device = (await makeDevices(db, org.id, 40))[20]!;
  await db.query(
    `insert into public.telemetry (device_num, ts, org_num, tenure_id, data)
     select s.device_num, t, s.org_num, s.tenure_id, '{"temp": 20.5, "hum": 45, "co2": 600}'
     from public.device_state s, generate_series(now() - interval '6 hours', now(), interval '20 seconds') t`,
  );
  await db.query(`select ec.rebuild_rollups(null, now() - interval '7 hours', now())`);
  await db.query('analyze public.telemetry, public.rollups_1m, public.rollups_5m, public.rollups_15m');
});
afterAll(() => db.drop());

interface Plan {
  'Node Type': string;
  'Parent Relationship'?: string;
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  'Actual Loops': number;
  Plans?: Plan[];
}
const QUERIES = {
  'raw rows of an hour': `select ts, data from public.telemetry where device_num = $1 and ts >= now() - interval '1 hour' order by ts`,
  'minutes of six hours': `select bucket, sums from public.rollups_1m where device_num = $1 and bucket >= now() - interval '6 hours' order by bucket`,
  'quarters of a week': `select bucket, sums from public.rollups_15m where device_num = $1 and bucket >= now() - interval '7 days' order by bucket`,
};

async function explain(session: Session, query: string): Promise<Plan> {
  await session.query(query.replace('$1', String(device.num)));
  const [row] = await session.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(
    `explain (analyze, buffers, format json) ${query.replace('$1', String(device.num))}`,
  );
  return row!['QUERY PLAN'][0]!.Plan;
}
const nodes = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodes)];
const buffers = (plan: Plan): number => plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];

test.each(Object.entries(QUERIES))(
  '%s: the policy is asked once and reads the table no more than without it',
  async (_name, query) => {
    const free = await explain(db, query);
    const guarded = await db.as(orgAdmin, (session) => explain(session, query));
    const initPlans = nodes(guarded).filter((node) => node['Parent Relationship'] === 'InitPlan');
    expect(initPlans.length).toBeGreaterThan(0);
    for (const plan of initPlans) expect(plan['Actual Loops']).toBeLessThanOrEqual(1);
    expect(nodes(guarded).some((node) => node['Parent Relationship'] === 'SubPlan')).toBe(false);
    const asked = initPlans.reduce((sum, plan) => sum + buffers(plan), 0);
    expect(buffers(guarded) - asked).toBeLessThanOrEqual(1.1 * buffers(free));
  },
);
