import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database } from '../harness/database.ts';

let db: Database;
beforeAll(async () => {
  db = await openDatabase();
});
afterAll(() => db.drop());

test('migrating scheduled every job once, and repeating it changes nothing', async () => {
  const jobs = (): Promise<Record<string, unknown>[]> =>
    db.query(
      `select jobname, schedule, command, username from cron.job where jobname like 'ec\\_%' order by jobname`,
    );
  const before = await jobs();
  expect(before.length).toBeGreaterThan(6);
  expect(before.every(({ username }) => username === 'postgres')).toBe(true);
  await db.query('select ec.setup_cron()');
  expect(await jobs()).toEqual(before);
});

test('every scheduled command runs, twice', async () => {
  for (const { command } of await db.query<{ command: string }>(
    `select command from cron.job where jobname like 'ec\\_%'`,
  ))
    for (const _ of [1, 2]) await expect(db.query(command), command).resolves.toHaveLength(1);
});

test('purging keeps what is still wanted', async () => {
  await db.query(
    `insert into public.dead_letters (door, reason, received_at) values ('mqtt', 'old', now() - interval '31 days'), ('mqtt', 'new', now())`,
  );
  await db.query(
    `insert into ec.idempotency_keys (actor_kind, actor_id, key, request_sha256, created_at)
     values ('user', gen_random_uuid(), 'old', '', now() - interval '25 hours'), ('user', gen_random_uuid(), 'new', '', now())`,
  );
  await db.query(
    `insert into ec.mqtt_outbox (serial, topic, payload, sent_at) values ('a', 'old', '', now() - interval '25 hours'), ('a', 'new', '', now()), ('a', 'unsent', '', null)`,
  );
  expect(await db.value('select ec.purge_expired(now())')).toEqual({
    mqtt_outbox: 1,
    idempotency_keys: 1,
    dead_letters: 1,
  });
  expect(await db.query('select reason from public.dead_letters')).toEqual([{ reason: 'new' }]);
  expect(await db.query('select topic from ec.mqtt_outbox order by topic')).toEqual([
    { topic: 'new' },
    { topic: 'unsent' },
  ]);
});
