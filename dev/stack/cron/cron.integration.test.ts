import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../testing.ts';
import { startNetSender } from './net-sender.ts';
import { startScheduler } from './scheduler.ts';

let database: TestDatabase;
let db: pg.Client;
let running: { stop(): Promise<void> }[] = [];
let receiver: Server;
const received: { method: string; url: string; header: unknown; body: string }[] = [];

beforeAll(async () => {
  database = await createDatabase();
  db = new pg.Client({ connectionString: database.url('postgres') });
  await db.connect();
  await db.query('select cron.unschedule(jobid) from cron.job');
  await db.query(
    'create table public.ticks (at timestamptz default clock_timestamp(), who text default current_user)',
  );
  receiver = createServer((request, response) => {
    void text(request).then((body) => {
      const { method = '', url = '' } = request;
      received.push({ method, url, header: request.headers['x-word'], body });
      response.writeHead(201).end('thanks');
    });
  }).listen(0, '127.0.0.1');
  const adminUrl = database.url('supabase_admin');
  running = [
    await startScheduler({ adminUrl, urlOf: (role) => database.url(role), log: () => {} }),
    await startNetSender(adminUrl),
  ];
});

afterAll(async () => {
  for (const part of running) await part.stop();
  receiver?.close();
  await db?.end();
  await database?.drop();
});

beforeEach(async () => {
  await db.query('select cron.unschedule(jobid) from cron.job');
  await db.query('truncate public.ticks');
  received.length = 0;
});

const ticks = async (): Promise<{ who: string }[]> => (await db.query('select who from public.ticks')).rows;
const receiverUrl = (): string => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;

test('a job that is scheduled while the scheduler runs is run, as the role that scheduled it', async () => {
  await db.query(`select cron.schedule('tick', '1 second', 'insert into public.ticks default values')`);
  await expect.poll(ticks, { timeout: 5000 }).toContainEqual({ who: 'postgres' });
  // The job's rows are committed before the run is on record.
  const record = () =>
    db
      .query(`select status, return_message from cron.job_run_details order by runid limit 1`)
      .then(({ rows }) => rows[0]);
  await expect.poll(record, { timeout: 5000 }).toEqual({ status: 'succeeded', return_message: 'INSERT 1' });
});

test('a job that still runs is not started again', async () => {
  await db.query(
    `select cron.schedule('slow', '1 second', 'insert into public.ticks default values; select pg_sleep(3)')`,
  );
  await db.query(
    `select cron.schedule('quick', '1 second', $$insert into public.ticks (who) values ('quick')$$)`,
  );
  await expect
    .poll(async () => (await ticks()).filter(({ who }) => who === 'quick').length, { timeout: 6000 })
    .toBeGreaterThanOrEqual(2);
  const { rows } = await db.query(
    `select count(*)::int as n from pg_stat_activity where query like '%pg_sleep(3)%' and state = 'active' and pid <> pg_backend_pid()`,
  );
  expect(rows[0].n).toBe(1);
});

test('a failing job is on record and disturbs no other', async () => {
  await db.query(`select cron.schedule('broken', '1 second', 'select 1/0')`);
  await expect
    .poll(
      async () =>
        (await db.query(`select distinct return_message from cron.job_run_details where status = 'failed'`))
          .rows,
      {
        timeout: 5000,
      },
    )
    .toEqual([{ return_message: 'division by zero' }]);
});

test('a schedule nobody understands is refused when it is made', async () => {
  await expect(db.query(`select cron.schedule('x', '90 seconds', 'select 1')`)).rejects.toThrow(
    'invalid schedule: 90 seconds',
  );
});

test('an HTTP call leaves after its transaction committed, and not when it was rolled back', async () => {
  const post = `select net.http_post($1 || '/hook', '{"a":1}', params => '{"p":"1"}', headers => '{"content-type":"application/json","x-word":"y"}')`;
  await db.query('begin');
  await db.query(post, [receiverUrl()]);
  await db.query('rollback');
  await db.query('begin');
  await db.query(post, [receiverUrl()]);
  expect(received).toEqual([]);
  await db.query('commit');
  await expect
    .poll(() => received)
    .toEqual([{ method: 'POST', url: '/hook?p=1', header: 'y', body: '{"a": 1}' }]);
  await expect
    .poll(async () => (await db.query('select status_code, content from net._http_response')).rows)
    .toContainEqual({ status_code: 201, content: 'thanks' });
});

test('a call that fails leaves its reason', async () => {
  await db.query(`select net.http_get('http://127.0.0.1:1/')`);
  await expect
    .poll(
      async () =>
        (await db.query('select status_code, timed_out from net._http_response where error_msg is not null'))
          .rows,
    )
    .toEqual([{ status_code: null, timed_out: false }]);
});
