import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database } from '../harness/database.ts';
import {
  countRows,
  ingest,
  makeDevices,
  makeFleetOrg,
  START_US,
  type FleetDevice,
  type Item,
} from '../harness/fleet.ts';

let db: Database;
let devices: FleetDevice[];
beforeAll(async () => {
  db = await openDatabase();
  devices = await makeDevices(db, (await makeFleetOrg(db)).id, 120);
});
afterAll(() => db.drop());

const shuffled = <T>(list: T[]): T[] =>
  list
    .map((value) => [Math.random(), value] as const)
    .toSorted((a, b) => a[0] - b[0])
    .map(([, value]) => value);

test('overlapping batches in any order, through both doors at once, neither deadlock nor lose nor double', async () => {
  const rounds = 25;
  const batches: Item[][] = Array.from({ length: rounds }, (_, round) =>
    devices.flatMap(({ serial }) =>
      Array.from({ length: round % 5 === 0 ? 3 : 1 }, (_, n) => ({
        s: serial,
        d: { temp: round + n },
        r: START_US + round * 1e6 + n,
        t: Math.floor(START_US / 1000) + round * 1000 + n,
      })),
    ),
  );
  const send = async (role: string, door: string): Promise<number> => {
    const connection = await db.connect(role);
    let accepted = 0;
    for (const batch of batches) accepted += (await ingest(connection, shuffled(batch), door)).accepted;
    return accepted;
  };
  // Each connection sends everything: whoever comes second must find it stored.
  const accepted = await Promise.all([
    send('ec_bridge', 'mqtt'),
    send('ec_bridge', 'mqtt'),
    send('postgres', 'https'),
  ]);
  const sent = batches.flat().length;
  expect(accepted.reduce((sum, n) => sum + n)).toBe(sent);
  expect(await countRows(db)).toBe(sent);
  const states = await db.query('select distinct reported from public.device_state where active');
  expect(states).toEqual([{ reported: { temp: rounds - 1 } }]);
});

test('a batch that waits for another sees what that one stored', async () => {
  const [device] = await makeDevices(db, (await makeFleetOrg(db)).id, 1);
  const first = await db.connect('ec_bridge');
  const second = await db.connect('ec_bridge');
  const packet = (temp: number, r: number): Item => ({ s: device!.serial, d: { temp }, r: START_US + r });
  await first.query('begin');
  await ingest(first, [packet(1, 0)]);
  const waiting = ingest(second, [{ ...packet(1, 500), dup: true }, packet(2, 501)]);
  await expect
    .poll(() =>
      db.value<boolean>(
        `select exists (select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database())`,
      ),
    )
    .toBe(true);
  await first.query('commit');
  expect(await waiting).toMatchObject({ accepted: 1, duplicates: [0] });
  expect(
    await db.value('select w_temp from public.device_state where device_num = $1', [device!.num]),
  ).toEqual([1, 2]);
});
