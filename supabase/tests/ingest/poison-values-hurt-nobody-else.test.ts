import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database } from '../harness/database.ts';
import {
  ingestText,
  makeDevices,
  makeFleetOrg,
  readRows,
  START_US,
  type FleetDevice,
} from '../harness/fleet.ts';

/** The contract refuses all of these; this is the second wall, for whatever gets past it. */
let db: Database;
let org: { id: string };
beforeAll(async () => {
  db = await openDatabase();
  org = await makeFleetOrg(db);
});
afterAll(() => db.drop());

const itemText = (i: number, serial: string, d: string, more = ''): string =>
  `{"i":${i},"s":"${serial}","d":${d},"r":${START_US + i},"t":null,"q":null${more}}`;

test.each([
  ['\\u0000 in a string', String.raw`{"note":"a\u0000b"}`],
  ['\\u0000 in a key', String.raw`{"no\u0000te":1}`],
  ['a lone surrogate', String.raw`{"note":"\ud800"}`],
  ['a number beyond float8', '{"temp":1e400}'],
  ['a number beyond numeric', `{"other":1${'0'.repeat(140_000)}}`],
  ['no values at all', 'null'],
])('%s: its 20 neighbours are stored, and it is a dead letter of its org', async (_name, poison) => {
  const devices = await makeDevices(db, org.id, 21);
  const batch = devices.map(({ serial }, i) => itemText(i, serial, i === 13 ? poison : '{"temp":20}'));
  const outcome = await ingestText(db, `[${batch.join(',')}]`);
  expect(outcome).toMatchObject({ accepted: 20, rejected: 1, rejects: [{ i: 13, reason: 'bad_value' }] });
  const { serial, id } = devices[13] as FleetDevice;
  expect(
    await db.query(
      `select org_id, device_id, reason, payload is not null as kept from public.dead_letters where serial = $1`,
      [serial],
    ),
  ).toEqual([{ org_id: org.id, device_id: id, reason: 'bad_value', kept: true }]);
  for (const [n, { num }] of devices.entries())
    expect(await readRows(db, num)).toHaveLength(n === 13 ? 0 : 1);
});

test('a time or a seq no column can hold is refused alone', async () => {
  const [a, b, c] = (await makeDevices(db, org.id, 3)) as [FleetDevice, FleetDevice, FleetDevice];
  const outcome = await ingestText(
    db,
    `[${itemText(0, a.serial, '{"temp":1}').replace('"t":null', '"t":9000000000000000000')},
      ${itemText(1, b.serial, '{"temp":1}').replace('"q":null', '"q":99999999999999999999')},
      ${itemText(2, c.serial, '{"temp":1}')}]`,
  );
  expect(outcome).toMatchObject({ accepted: 1, rejected: 2 });
});

test('several poison packets, also of one device, lose only themselves', async () => {
  const [a, b] = (await makeDevices(db, org.id, 2)) as [FleetDevice, FleetDevice];
  const bad = String.raw`{"note":"\u0000"}`;
  const outcome = await ingestText(
    db,
    `[${[
      itemText(0, a.serial, bad),
      itemText(1, a.serial, '{"temp":1}'),
      itemText(2, b.serial, bad),
      itemText(3, a.serial, bad),
      itemText(4, a.serial, '{"temp":2}'),
      itemText(5, b.serial, '{"temp":3}'),
    ].join(',')}]`,
  );
  expect(outcome).toMatchObject({ accepted: 3, rejected: 3 });
  expect(outcome.rejects.map(({ i }) => i).toSorted()).toEqual([0, 2, 3]);
  expect((await readRows(db, a.num)).map(({ data }) => data)).toEqual([{ temp: 1 }, { temp: 2 }]);
});

test('reserved names are only names', async () => {
  const [device] = (await makeDevices(db, org.id, 1)) as [FleetDevice];
  await ingestText(db, `[${itemText(0, device.serial, '{"__proto__":{"polluted":1},"constructor":2}')}]`);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  expect(await readRows(db, device.num)).toHaveLength(1);
});

test('an error that values do not cause fails the whole call and stores nothing', async () => {
  const [device] = (await makeDevices(db, org.id, 1)) as [FleetDevice];
  await expect(
    db.query(`select ec.ingest_telemetry($1::json, 'pigeon')`, [
      `[${itemText(0, device.serial, '{"temp":1}')},${itemText(1, 'NOBODY-9', '{"temp":1}')}]`,
    ]),
  ).rejects.toMatchObject({ code: '23514' });
  expect(await readRows(db, device.num)).toEqual([]);
});
