import { createClient, type RealtimeChannel, type SupabaseClient } from '@supabase/supabase-js';
import { SignJWT } from 'jose';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startStack, type TestStack } from '../testing.ts';

let stack: TestStack;
let db: pg.Client;
let jwtSecret: Uint8Array;
const clients: SupabaseClient[] = [];

beforeAll(async () => {
  stack = await startStack({ only: ['realtime'] });
  jwtSecret = new TextEncoder().encode(
    (JSON.parse(readFileSync(join(stack.dataDir, 'secrets.json'), 'utf8')) as { jwtSecret: string })
      .jwtSecret,
  );
  db = new pg.Client({ connectionString: stack.facts.db_url ?? '' });
  await db.connect();
  await db.query(`create policy rooms_of_the_token on realtime.messages for select to authenticated
    using (realtime.topic() = 'room:' || (current_setting('request.jwt.claims', true)::json ->> 'room'))`);
});

afterEach(async () => {
  for (const client of clients.splice(0)) await client.realtime.disconnect();
});

afterAll(async () => {
  await db?.end();
  await stack?.stop();
});

const token = (claims: Record<string, unknown>, lives = '60s'): Promise<string> =>
  new SignJWT({ role: 'authenticated', sub: '00000000-0000-0000-0000-000000000001', ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(lives)
    .sign(jwtSecret);

async function client(accessToken?: string): Promise<SupabaseClient> {
  const made = createClient(stack.facts.supabase_url ?? '', stack.facts.publishable_key, {
    auth: { persistSession: false },
  });
  if (accessToken) await made.realtime.setAuth(accessToken);
  clients.push(made);
  return made;
}

interface Joined {
  channel: RealtimeChannel;
  state: string;
  reason: string | undefined;
  states: string[];
  heard: unknown[];
}

function enter(from: SupabaseClient, topic: string, isPrivate = true): Promise<Joined> {
  return new Promise((resolve) => {
    const channel = from.channel(topic, { config: { private: isPrivate } });
    const states: string[] = [];
    const heard: unknown[] = [];
    channel.on('broadcast', { event: '*' }, ({ event, payload }) => heard.push([event, payload]));
    channel.subscribe((state, error) => {
      states.push(state);
      resolve({ channel, state, reason: error?.message, states, heard });
    });
  });
}

const send = (payload: unknown, event: string, topic: string, isPrivate = true): Promise<unknown> =>
  db.query('select realtime.send($1, $2, $3, $4)', [JSON.stringify(payload), event, topic, isPrivate]);

test('a private channel is joined only where row-level security lets the token read', async () => {
  const supabase = await client(await token({ room: 'kitchen' }));
  expect((await enter(supabase, 'room:kitchen')).state).toBe('SUBSCRIBED');
  const denied = await enter(supabase, 'room:office');
  expect(denied.state).toBe('CHANNEL_ERROR');
  expect(denied.reason).toContain(
    'Unauthorized: You do not have permissions to read from this Channel topic: room:office',
  );
});

test('without a token, with a forged or an expired one nobody joins', async () => {
  expect((await enter(await client(), 'room:kitchen')).state).toBe('CHANNEL_ERROR');
  const forged = await new SignJWT({ role: 'authenticated', room: 'kitchen' })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('60s')
    .sign(new TextEncoder().encode('x'.repeat(40)));
  expect((await enter(await client(forged), 'room:kitchen')).reason).toContain('JwtSignatureError');
  expect(
    (await enter(await client(await token({ room: 'kitchen' }, '-1s')), 'room:kitchen')).reason,
  ).toContain('expired');
});

test('messages arrive in order, those beyond the limit of NOTIFY included', async () => {
  const joined = await enter(await client(await token({ room: 'kitchen' })), 'room:kitchen');
  const long = 'ü'.repeat(50_000);
  await send({ n: 1 }, 'reading', 'room:kitchen');
  await send({ n: 2, long }, 'reading', 'room:kitchen');
  await send({ n: 3 }, 'reading', 'room:kitchen');
  await expect.poll(() => joined.heard.length).toBe(3);
  expect(joined.heard).toEqual([
    ['reading', { n: 1 }],
    ['reading', { n: 2, long }],
    ['reading', { n: 3 }],
  ]);
});

test('private messages reach no public channel of the same name, nor other topics, nor what was rolled back', async () => {
  const anonymous = await enter(await client(), 'room:kitchen', false);
  const kitchen = await enter(await client(await token({ room: 'kitchen' })), 'room:kitchen');
  await db.query('begin');
  await send({ n: 'undone' }, 'reading', 'room:kitchen');
  await db.query('rollback');
  await send({ n: 'other' }, 'reading', 'room:office');
  await send({ n: 'private' }, 'reading', 'room:kitchen');
  await send({ n: 'public' }, 'reading', 'room:kitchen', false);
  await expect.poll(() => [kitchen.heard.length, anonymous.heard.length]).toEqual([1, 1]);
  expect(kitchen.heard).toEqual([['reading', { n: 'private' }]]);
  expect(anonymous.heard).toEqual([['reading', { n: 'public' }]]);
});

test('a new token that may no longer read ends the channel', async () => {
  const supabase = await client(await token({ room: 'kitchen' }));
  const joined = await enter(supabase, 'room:kitchen');
  await supabase.realtime.setAuth(await token({ room: 'office' }));
  await expect.poll(() => joined.states).toContain('CLOSED');
  await send({ n: 1 }, 'reading', 'room:kitchen');
  expect(joined.heard).toEqual([]);
});

test('a channel ends when its token expires, and lives on when it was renewed in time', async () => {
  const short = await enter(await client(await token({ room: 'kitchen' }, '2s')), 'room:kitchen');
  const renewing = await client(await token({ room: 'kitchen' }, '2s'));
  const renewed = await enter(renewing, 'room:kitchen');
  await renewing.realtime.setAuth(await token({ room: 'kitchen' }));
  await expect.poll(() => short.states, { timeout: 5000 }).toContain('CLOSED');
  await send({ n: 1 }, 'reading', 'room:kitchen');
  await expect.poll(() => renewed.heard).toEqual([['reading', { n: 1 }]]);
  expect(short.heard).toEqual([]);
});

test('an unknown API key opens no connection', async () => {
  const url = new URL(
    '/realtime/v1/websocket?apikey=sb_publishable_wrong&vsn=2.0.0',
    stack.facts.supabase_url ?? '',
  );
  url.protocol = 'ws';
  const outcome = await new Promise((resolve) => {
    const socket = new WebSocket(url);
    socket.onopen = () => resolve('open');
    socket.onerror = () => resolve('refused');
  });
  expect(outcome).toBe('refused');
});
