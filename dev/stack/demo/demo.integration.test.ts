import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startStack, type TestStack } from '../testing.ts';
import { ApiSession } from './api.ts';
import { DEVICES, PASSWORD, PEOPLE } from './plan.ts';

const LIVE = DEVICES.filter((device) => !device.unused && device.silentForH === undefined);

let dataDir: string;
let stack: TestStack;
let db: pg.Client;

async function start(): Promise<void> {
  stack = await startStack({ only: ['demo'], demo: true, dataDir });
  // The superuser shares the password; the tables are read behind row level security.
  db = new pg.Client({ connectionString: stack.facts.db_url!.replace('//postgres:', '//supabase_admin:') });
  await db.connect();
}

async function stop(): Promise<void> {
  await db.end();
  await stack.stop();
}

async function rows<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
  return (await db.query<Row>(sql, values)).rows;
}

/** What seeding makes, as numbers. */
async function inventory(): Promise<Record<string, number>> {
  const tables = [
    'partners',
    'orgs',
    'locations',
    'profiles',
    'memberships',
    'devices',
    'device_tenures',
    'device_credentials',
    'firmware',
    'ota_jobs',
    'ota_events',
  ];
  const counts = await rows<{ name: string; n: number }>(
    tables
      .map((name) => `select '${name}' as name, count(*)::int as n from public.${name}`)
      .join(' union all '),
  );
  const past = await rows<{ n: number }>(
    `select count(*)::int as n from public.telemetry where ts < (select min(created_at) from public.audit_log)`,
  );
  return { ...Object.fromEntries(counts.map(({ name, n }) => [name, n])), past: past[0]!.n };
}

const secrets = () => readFileSync(join(dataDir, 'demo/secrets.json'), 'utf8');

async function liveSince(moment: Date): Promise<number> {
  const [row] = await rows<{ n: number }>(
    `select count(distinct device_num)::int as n from public.telemetry where received_at > $1`,
    [moment],
  );
  return row!.n;
}

const signIn = (email: string): Promise<ApiSession> =>
  ApiSession.signIn(
    {
      api_url: stack.facts.api_url!,
      supabase_url: stack.facts.supabase_url!,
      publishable_key: stack.facts.publishable_key,
    },
    email,
    PASSWORD,
  );

interface Chart {
  series: Record<string, (number[] | null)[]>;
}

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'ec-demo-'));
  chmodSync(dataDir, 0o755);
  await start();
});

afterAll(async () => {
  await stop();
  rmSync(dataDir, { recursive: true, force: true });
});

describe('the demo', () => {
  it('has every device live over its own door, but the unused and the silent one', async () => {
    await vi.waitFor(
      async () => expect(await liveSince(new Date(Date.now() - 30_000))).toBe(LIVE.length),
      60_000,
    );
    const doors = await rows<{ product_type: string; last_door: string }>(
      `select distinct product_type, last_door from public.device_state where last_seen > now() - interval '30 seconds' order by 1`,
    );
    expect(doors).toEqual([
      { product_type: 'EC-CLIMATE-V1', last_door: 'mqtt' },
      { product_type: 'tracker', last_door: 'https' },
    ]);
  });

  it('fills two weeks of charts at first sight', async () => {
    const session = await signIn('org@example.com');
    for (const [hours, least] of [
      [1, 200],
      [24, 250],
      [168, 200],
    ] as const) {
      const chart = (await session.call(
        'GET',
        `/devices/EC-CLM-ACME09/telemetry?hours=${hours}&buckets=auto`,
      )) as Chart;
      expect(chart.series['co2']!.filter(Boolean).length, `${hours} h`).toBeGreaterThan(least);
    }
  });

  it('shows the tenant the last day of their room, and the customer that of their device', async () => {
    const tenant = await signIn('tenant@example.com');
    const me = (await tenant.call('GET', '/me')) as { memberships: { location_id: string }[] };
    const room = `/rooms/${me.memberships[0]!.location_id}`;
    expect(((await tenant.call('GET', room)) as { values: object }).values).toHaveProperty('co2');
    const customer = await signIn('customer@example.com');
    for (const [session, path] of [
      [tenant, `${room}/climate?hours=24`],
      [customer, '/devices/EC-CLM-ACME14/telemetry?hours=24&buckets=auto'],
    ] as const) {
      const { series } = (await session.call('GET', path)) as Chart;
      expect(series['co2']!.filter(Boolean).length, path).toBeGreaterThan(250);
    }
  });

  it('wrote the roll-ups the database would have computed', async () => {
    const level = (name: string) =>
      rows(
        `select bucket, keys, counts, mins, maxs, (select array_agg(round(s::numeric, 3)) from unnest(sums) s) as sums
         from public.rollups_${name} where device_num = (select num from public.devices where serial = 'EC-CLM-HOTEL03')
           and bucket >= now() - interval '7 days' and bucket < now() - interval '1 hour' order by bucket`,
      );
    const levels = ['1m', '5m', '15m'];
    const written: unknown[][] = [];
    for (const name of levels) written.push(await level(name));
    await db.query('begin');
    await db.query(
      `select ec.rebuild_rollups(array_agg(num), now() - interval '7 days', now()) from public.devices where serial = 'EC-CLM-HOTEL03'`,
    );
    const computed: unknown[][] = [];
    for (const name of levels) computed.push(await level(name));
    await db.query('rollback');
    expect(written[0]!.length).toBeGreaterThan(2_500);
    expect(written).toEqual(computed);
  });

  it('has somebody of every role who can sign in, and dead letters and a silent device to look at', async () => {
    for (const { email } of PEOPLE) {
      const session = await ApiSession.signIn(
        {
          api_url: stack.facts.api_url!,
          supabase_url: stack.facts.supabase_url!,
          publishable_key: stack.facts.publishable_key,
        },
        email,
        PASSWORD,
      );
      expect(await session.call('GET', '/me'), email).toMatchObject({ email });
    }
    const [odd] = await rows<{ letters: number; silent: Date; co2: string }>(
      `select (select count(*)::int from public.dead_letters) as letters, s.last_seen as silent, s.reported ->> 'co2' as co2
       from public.device_state s where s.serial = 'EC-CLM-ACME08'`,
    );
    expect(odd!.letters).toBeGreaterThan(3);
    expect(Date.now() - odd!.silent.getTime()).toBeGreaterThan(25 * 3_600_000);
    expect(odd!.co2).not.toBeNull();
  });

  const jobs = () =>
    rows<{ name: string; version: string; state: string; soaking: boolean; ends: Record<string, number> }>(
      `select j.name, j.version, j.state, j.soaking_since is not null as soaking,
         (select jsonb_object_agg(e.state, e.n) from (
            select e.state, count(*)::int as n from public.ota_job_devices e where e.job_id = j.id group by 1) e) as ends
       from public.ota_jobs j order by j.number`,
    );

  it('has an update that is over, with one device it failed on, and one whose canary is watched', async () => {
    expect(await jobs()).toEqual([
      {
        ...{ name: 'Hall A', version: '1.2.1', state: 'completed', soaking: false },
        ends: { succeeded: 4, failed: 1 },
      },
      {
        ...{ name: 'Winter release', version: '1.3.0', state: 'running', soaking: true },
        ends: { succeeded: 2, queued: 13 },
      },
    ]);
  });

  it('goes on after a restart: nothing is seeded twice, and the time between stays empty', async () => {
    const before = await inventory();
    const keys = secrets();
    const [last] = await rows<{ at: Date }>('select max(received_at) as at from public.telemetry');
    await stop();
    const stoppedAt = new Date();
    await start();
    const startedAt = new Date();
    await vi.waitFor(async () => expect(await liveSince(startedAt)).toBe(LIVE.length), 60_000);
    expect(await inventory()).toEqual(before);
    expect(secrets()).toBe(keys);
    const [between] = await rows<{ n: number }>(
      `select count(*)::int as n from public.telemetry where ts > $1 and ts < $2`,
      [
        new Date(Math.max(last!.at.getTime() + 10_000, stoppedAt.getTime())),
        new Date(stoppedAt.getTime() + 500),
      ],
    );
    expect(between!.n).toBe(0);
  });
});
