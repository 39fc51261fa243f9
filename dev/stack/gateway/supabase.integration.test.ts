import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startStack, type TestStack } from '../testing.ts';

let stack: TestStack;
let anyone: SupabaseClient;
let service: SupabaseClient;
const image = new Uint8Array(300_000).map((_, index) => index % 251);

beforeAll(async () => {
  stack = await startStack({ only: ['auth'] });
  const connect = (key: string): SupabaseClient =>
    createClient(stack.facts.supabase_url ?? '', key, { auth: { persistSession: false } });
  anyone = connect(stack.facts.publishable_key);
  service = connect(stack.facts.secret_key);
  await service.storage.createBucket('images', { public: false });
  await service.storage
    .from('images')
    .upload('a/image.bin', image, { contentType: 'application/octet-stream' });
});

afterAll(async () => {
  await stack?.stop();
});

describe('Storage through supabase-js', () => {
  const signedUrl = async (): Promise<string> =>
    (await service.storage.from('images').createSignedUrl('a/image.bin', 60)).data?.signedUrl ?? '';

  test.each([
    ['bytes=0-9', 206, 'bytes 0-9/300000', [0, 10]],
    ['bytes=299990-', 206, 'bytes 299990-299999/300000', [299_990, 300_000]],
    ['bytes=-5', 206, 'bytes 299995-299999/300000', [299_995, 300_000]],
    ['bytes=300000-', 416, 'bytes */300000', [0, 0]],
    [undefined, 200, null, [0, 300_000]],
  ])('a signed URL answers Range %s with %i', async (range, status, contentRange, [from, to]) => {
    const response = await fetch(await signedUrl(), { headers: range ? { range } : {} });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-range')).toBe(contentRange);
    expect(response.headers.get('accept-ranges')).toBe('bytes');
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(image.slice(from, to));
  });

  test('a signed URL serves nothing else and no longer than it says', async () => {
    const url = await signedUrl();
    expect((await fetch(url.replace('a/image.bin', 'a/other.bin'))).status).toBe(403);
    expect((await fetch(url.replace(/token=.*/, 'token=x'))).ok).toBe(false);
  });

  test('a signed URL for downloading has browsers save the file under the name asked for', async () => {
    const bucket = service.storage.from('images');
    const { data } = await bucket.createSignedUrl('a/image.bin', 60, { download: 'nice name.bin' });
    const response = await fetch(data?.signedUrl ?? '', { headers: { range: 'bytes=0-9' } });
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename=nice%20name\.bin/);
    expect([response.status, (await response.arrayBuffer()).byteLength]).toEqual([206, 10]);
  });

  test('a signed upload takes a file as browsers send it and as plain bytes', async () => {
    const bucket = service.storage.from('images');
    const form = (await bucket.createSignedUploadUrl('up/form.bin')).data;
    const uploaded = await anyone.storage
      .from('images')
      .uploadToSignedUrl('up/form.bin', form?.token ?? '', new Blob([image]));
    expect(uploaded.error).toBeNull();
    const plain = (await bucket.createSignedUploadUrl('up/plain.bin')).data;
    expect((await fetch(plain?.signedUrl ?? '', { method: 'PUT', body: image })).status).toBe(200);
    for (const name of ['up/form.bin', 'up/plain.bin']) {
      const { data } = await bucket.download(name);
      expect(new Uint8Array((await data?.arrayBuffer()) ?? [])).toEqual(image);
    }
  });

  test('who has no policy reads nothing', async () => {
    expect((await anyone.storage.from('images').download('a/image.bin')).error).not.toBeNull();
    expect((await anyone.storage.from('images').list('a')).data).toEqual([]);
  });
});

describe('Auth through supabase-js', () => {
  const mails = async (to: string): Promise<{ text: string; html: string; subject: string }[]> =>
    (await (await fetch(`${stack.facts.mail_url}/api/messages?to=${to}`)).json()) as never;
  const codeIn = (text: string): string => /\b\d{6}\b/.exec(text)?.[0] ?? '';

  test('the administrator signs in', async () => {
    const { data, error } = await anyone.auth.signInWithPassword(stack.facts.admin);
    expect(error).toBeNull();
    expect(data.user?.email).toBe('admin@example.com');
    await anyone.auth.signOut();
  });

  test('a code from the mail signs in once', async () => {
    const email = 'once@example.com';
    expect((await anyone.auth.signInWithOtp({ email })).error).toBeNull();
    const mail = (await mails(email)).at(-1);
    const token = codeIn(mail?.text ?? '');
    expect(mail?.subject).toBe(`Your EdgeConductor sign-in code: ${token}`);
    expect(mail?.html).toContain(token);
    expect((await anyone.auth.verifyOtp({ email, token, type: 'email' })).data.user?.email).toBe(email);
    expect((await anyone.auth.verifyOtp({ email, token, type: 'email' })).error).not.toBeNull();
  });

  test('guessing codes is stopped, also for the right one', async () => {
    const email = 'guessed@example.com';
    await anyone.auth.signInWithOtp({ email });
    const token = codeIn((await mails(email)).at(-1)?.text ?? '');
    for (let i = 0; i < 10; i++)
      expect((await anyone.auth.verifyOtp({ email, token: '000000', type: 'email' })).error?.code).toBe(
        'otp_expired',
      );
    const { error } = await anyone.auth.verifyOtp({ email, token, type: 'email' });
    expect(error).toMatchObject({ status: 429, code: 'over_request_rate_limit' });
  });

  test('the link of the mail needs no API key', async () => {
    const email = 'link@example.com';
    await anyone.auth.signInWithOtp({ email });
    const link = /https?:\S+/.exec((await mails(email)).at(-1)?.text ?? '')?.[0] ?? '';
    const { pathname, search } = new URL(link);
    const response = await fetch(`${stack.facts.supabase_url}${pathname}${search}`, { redirect: 'manual' });
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toContain('#access_token=');
  });
});

describe('the Data API', () => {
  test('leaves the grants of the migrations as they are', async () => {
    const client = new pg.Client({ connectionString: stack.facts.db_url ?? '' });
    await client.connect();
    try {
      await client.query(
        `create table public.guarded (word text); alter table public.guarded enable row level security`,
      );
      expect((await anyone.from('guarded').select()).error).not.toBeNull();
      const { rows } = await client.query(
        `select grantee from information_schema.role_table_grants where table_name = 'guarded' and grantee in ('anon', 'authenticated')`,
      );
      expect(rows).toEqual([]);
    } finally {
      await client.end();
    }
  });

  test('asks for an API key', async () => {
    expect((await fetch(`${stack.facts.supabase_url}/rest/v1/guarded`)).status).toBe(401);
  });

  test('an unknown function is not found', async () => {
    expect((await fetch(`${stack.facts.supabase_url}/functions/v1/nonsense/x`)).status).toBe(404);
  });
});
