import { afterAll, beforeAll, expect, test } from 'vitest';
import { acknowledge, send, type Command } from '../harness/commanding.ts';
import { openDatabase, type Database, type Session } from '../harness/database.ts';
import { makeDevices } from '../harness/fleet.ts';
import { publish, setDesired, telemetry } from '../harness/wire.ts';
import { seedWorld, type World } from '../harness/world.ts';

let db: Database;
let world: World;
let bridge: Session;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
  bridge = await db.connect('ec_bridge');
});
afterAll(() => db.drop());

const waiting = async (): Promise<number> =>
  Number(
    await db.value(
      `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    ),
  );

test('a command for a device whose packets are being stored follows them, and stops none', async () => {
  const [device] = await makeDevices(db, world.org.id, 1);
  const { serial } = device!;
  await telemetry(db, serial, { temp: 20 });
  await bridge.query('begin');
  await telemetry(bridge, serial, { temp: 21 });
  const sending = send(db, world.operator, serial, 'blink');
  await expect.poll(waiting, { timeout: 10_000, interval: 5 }).toBe(1);
  // A second write of the same row asks for the device's key again.
  await telemetry(bridge, serial, { temp: 22 });
  await bridge.query('commit');
  expect((await sending).state).toBe('queued');
});

test('a fleet that sends, is told, commanded and answers all at once loses nothing', async () => {
  const fleet = await makeDevices(db, world.org.id, 8);
  const serials = fleet.map(({ serial }) => serial);
  for (const serial of serials) await telemetry(db, serial, { temp: 20 });
  const [ingest, relay, answers] = await Promise.all([1, 2, 3].map(() => db.connect('ec_bridge')));
  const commands: Command[] = [];
  let busy = true;
  const until = async (work: () => Promise<unknown>): Promise<void> => {
    while (busy) await work();
  };
  const ordering = Promise.all(
    serials.map(async (serial, n) => {
      for (let turn = 0; turn < 8; turn++) {
        commands.push(await send(db, world.operator, serial, 'blink', turn));
        await setDesired(db, world.orgAdmin, serial, { [`key${turn}`]: n });
      }
    }),
  ).finally(() => (busy = false));
  const batch = (): string =>
    JSON.stringify(
      serials.flatMap((s, n) =>
        [0, 1].map((k) => ({ i: 2 * n + k, s, d: { temp: k }, r: Date.now() * 1000 + k, t: null, q: null })),
      ),
    );
  await Promise.all([
    ordering,
    until(() => ingest!.query('select ec.ingest_telemetry($1::json, $2)', [batch(), 'mqtt'])),
    until(() => publish(relay!)),
    until(async () => {
      await answers!.query('select');
      for (const { id, serial } of commands.splice(0)) await acknowledge(answers!, serial, { id, ok: true });
    }),
  ]);
  for (const { id, serial } of commands) await acknowledge(answers!, serial, { id, ok: true });
  await publish(relay!);
  expect(
    await db.query(
      `select state, count(*)::int as n from public.device_commands where serial = any ($1) group by 1`,
      [serials],
    ),
  ).toEqual([{ state: 'acknowledged', n: 64 }]);
  expect(
    await db.query(`select distinct desired_version::int as v from public.devices where serial = any ($1)`, [
      serials,
    ]),
  ).toEqual([{ v: 8 }]);
}, 60_000);
