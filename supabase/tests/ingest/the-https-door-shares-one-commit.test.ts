import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database, type Session } from '../harness/database.ts';
import { makeFleetOrg, readRows, readState, START_US } from '../harness/fleet.ts';
import { register } from '../harness/register.ts';
import { makeSecret } from '../harness/secrets.ts';
import { makeApiKey } from '../harness/world.ts';

interface Sender {
  serial: string;
  num: number;
  h: string;
}
let db: Database;
let door: Session;
let senders: Sender[];
beforeAll(async () => {
  db = await openDatabase();
  door = await db.connect('ec_api');
  const key = await makeApiKey(db, (await makeFleetOrg(db)).id, ['provision']);
  senders = [];
  for (const serial of ['GSM-1', 'GSM-2', 'GSM-3']) {
    const secret = makeSecret();
    await db.as(key, (session) => register(session, serial, { secret }));
    const num = await db.value<number>('select num from public.devices where serial = $1', [serial]);
    senders.push({ serial, num, h: secret.sha256.toString('hex') });
  }
});
afterAll(() => db.drop());

const call = (requests: unknown[]): Promise<Record<string, unknown>[]> =>
  door.value('select ec.ingest_device_requests($1::json)', [JSON.stringify(requests)]);
const packet = (temp: number, n: number, t: number | null = null) => ({
  d: { temp },
  r: START_US + n,
  t,
  q: null,
});

test('many requests, each with its own answer; a wrong secret stores nothing and touches no one else', async () => {
  const [a, b, c] = senders as [Sender, Sender, Sender];
  const t = Math.floor(START_US / 1000);
  const answers = await call([
    { i: 7, s: a.serial, h: a.h, p: [packet(1, 0), packet(2, 1)], x: [] },
    { i: 8, s: b.serial, h: a.h, p: [packet(3, 2)], x: [] },
    {
      i: 9,
      s: c.serial,
      h: c.h,
      p: [packet(4, 3, t), packet(5, 4, t)],
      x: [{ reason: 'bad_key', detail: 'no', payload: '{"1":2}', bytes: 7, r: START_US }],
    },
    { i: 10, s: 'NOBODY-1', h: 'ff', p: [packet(1, 0)], x: [] },
  ]);
  expect(answers).toEqual([
    { i: 7, ok: true, accepted: 2, duplicate: 0, rejected: 0, reboot: false },
    { i: 8, ok: false, accepted: 0, duplicate: 0, rejected: 0, reboot: false },
    { i: 9, ok: true, accepted: 1, duplicate: 1, rejected: 1, reboot: false },
    { i: 10, ok: false, accepted: 0, duplicate: 0, rejected: 0, reboot: false },
  ]);
  expect(await readRows(db, b.num)).toEqual([]);
  expect(await readState(db, a.num)).toMatchObject({
    reported: { temp: 2 },
    connected: false,
    last_door: 'https',
  });
  expect(await db.query(`select serial, door, reason, payload from public.dead_letters`)).toEqual([
    { serial: c.serial, door: 'https', reason: 'bad_key', payload: '{"1":2}' },
  ]);
});

test('two requests of one device in a call are taken in their order', async () => {
  const [, b] = senders as [Sender, Sender];
  const answers = await call([
    { i: 0, s: b.serial, h: b.h, p: [packet(1, 10)], x: [] },
    { i: 1, s: b.serial, h: b.h, p: [packet(2, 11), packet(3, 12)], x: [] },
  ]);
  expect(answers.map(({ accepted }) => accepted)).toEqual([1, 2]);
  expect(await db.value('select w_temp from public.device_state where device_num = $1', [b.num])).toEqual([
    1, 2, 3,
  ]);
});

test('a revoked or expired secret is wrong, and so is the one of a retired device', async () => {
  const [a, , c] = senders as [Sender, Sender, Sender];
  await db.query('update public.device_credentials set revoked_at = now() where serial = $1', [a.serial]);
  await db.query(`update public.devices set lifecycle = 'retired', retired_at = now() where serial = $1`, [
    c.serial,
  ]);
  const answers = await call([
    { i: 0, s: a.serial, h: a.h, p: [packet(9, 20)], x: [] },
    { i: 1, s: c.serial, h: c.h, p: [packet(9, 21)], x: [] },
  ]);
  expect(answers.map(({ ok }) => ok)).toEqual([false, false]);
});

test('using a secret marks it as used', async () => {
  const [, b] = senders as [Sender, Sender];
  expect(
    await db.value(
      `select first_used_at is not null and last_used_at is not null from public.device_credentials where serial = $1`,
      [b.serial],
    ),
  ).toBe(true);
});
