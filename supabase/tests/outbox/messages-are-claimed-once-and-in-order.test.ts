import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openDatabase, type Database, type Session } from '../harness/database.ts';

let db: Database;
let bridge: Session;
beforeAll(async () => {
  db = await openDatabase();
  bridge = await db.connect('ec_bridge');
});
beforeEach(() => db.query('delete from ec.mqtt_outbox'));
afterAll(() => db.drop());

const enqueue = (serial: string, payload: string, expires: string | null = null): Promise<string> =>
  db.value('select private.enqueue_mqtt($1, $2, $3, false, $4)', [serial, 'cmd', payload, expires]);
const claim = (
  worker: string,
  max = 500,
  session = bridge,
): Promise<{ id: string; payload: string; topic: string }[]> =>
  session.query('select * from ec.claim_mqtt_outbox($1, $2)', [worker, max]);
const payloads = (rows: { payload: string }[]): string[] => rows.map(({ payload }) => payload);

test('writing one wakes a listening bridge when the transaction commits', async () => {
  const listener = await db.connect('ec_bridge');
  await listener.query('listen ec_mqtt_outbox');
  const woken = new Promise((resolve) => listener.client.once('notification', resolve));
  await enqueue('D-1', 'a');
  await woken;
});

test('messages come oldest first, each to one worker, and finished ones never again', async () => {
  for (const payload of ['1', '2', '3', '4']) await enqueue(`D-${payload}`, payload);
  const first = await claim('a', 2);
  expect(first).toMatchObject([{ topic: 'devices/D-1/cmd', payload: '1' }, { payload: '2' }]);
  expect(payloads(await claim('b'))).toEqual(['3', '4']);
  expect(await claim('a')).toEqual([]);
  await bridge.query('select ec.finish_mqtt_outbox($1)', [first.map(({ id }) => id)]);
  await db.query(
    `update ec.mqtt_outbox set claimed_until = now() - interval '1 second' where sent_at is null`,
  );
  expect(payloads(await claim('c'))).toEqual(['3', '4']);
});

test('workers that claim at the same moment share the messages without overlap', async () => {
  for (let i = 0; i < 40; i++) await enqueue(`P-${i}`, String(i));
  const sessions = await Promise.all([1, 2, 3, 4].map(() => db.connect('ec_bridge')));
  const claims = await Promise.all(sessions.map((session, i) => claim(`w${i}`, 15, session)));
  const ids = claims.flat().map(({ id }) => id);
  expect(ids).toHaveLength(40);
  expect(new Set(ids).size).toBe(40);
});

test('a topic’s next message waits while another worker holds the one before', async () => {
  await enqueue('T-1', 'old');
  expect(payloads(await claim('a'))).toEqual(['old']);
  await enqueue('T-1', 'new');
  await enqueue('T-2', 'other');
  expect(payloads(await claim('b'))).toEqual(['other']);
  expect(payloads(await claim('a'))).toEqual(['new']);
});

test('a lease that ran out, or was given back, can be claimed again', async () => {
  await enqueue('L-1', 'x');
  const [row] = await claim('a');
  expect(await claim('b')).toEqual([]);
  await bridge.query('select ec.release_mqtt_outbox($1)', [[row!.id]]);
  expect(payloads(await claim('b'))).toEqual(['x']);
  await db.query(`update ec.mqtt_outbox set claimed_until = now() - interval '1 second'`);
  expect(payloads(await claim('c'))).toEqual(['x']);
  expect(await db.value('select attempts from ec.mqtt_outbox')).toBe(3);
});

test('what has expired is never sent and is purged', async () => {
  await enqueue('E-1', 'late', new Date(Date.now() - 1000).toISOString());
  await enqueue('E-2', 'in time', new Date(Date.now() + 60_000).toISOString());
  expect(payloads(await claim('a'))).toEqual(['in time']);
  expect(await db.value('select ec.purge_expired(now())')).toMatchObject({ mqtt_outbox: 1 });
});
