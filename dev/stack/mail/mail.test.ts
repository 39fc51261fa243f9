import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Mailbox } from './mailbox.ts';
import { mailServer } from './server.ts';

const folder = mkdtempSync(join(tmpdir(), 'ec-mail-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const send = (server: ReturnType<typeof mailServer>, body: unknown, headers: Record<string, string> = {}) =>
  server.request('/emails', {
    method: 'POST',
    headers: { authorization: 'Bearer re_test', 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

const report = {
  from: 'EdgeConductor <no-reply@localhost>',
  to: ['a@example.com', 'b@example.com'],
  subject: 'Weekly <report>',
  html: '<p>Hello</p>',
  text: 'Hello',
  attachments: [
    {
      filename: 'report.pdf',
      content: Buffer.from('%PDF').toString('base64'),
      content_type: 'application/pdf',
    },
  ],
};

test('what is sent as to Resend is listed, one message per recipient, and kept', async () => {
  const file = join(folder, 'kept.jsonl');
  const server = mailServer(new Mailbox(file));
  expect((await send(server, report)).status).toBe(200);
  const listed = await (await mailServer(new Mailbox(file)).request('/api/messages')).json();
  expect(listed).toMatchObject([
    {
      to: 'a@example.com',
      subject: 'Weekly <report>',
      text: 'Hello',
      html: '<p>Hello</p>',
      attachments: [{ filename: 'report.pdf', content_type: 'application/pdf', size: 4 }],
      at: expect.stringMatching(/^\d{4}-.*Z$/),
    },
    { to: 'b@example.com' },
  ]);
});

test('an idempotency key sends once', async () => {
  const server = mailServer(new Mailbox(join(folder, 'once.jsonl')));
  const first = await (await send(server, report, { 'idempotency-key': 'k' })).json();
  expect(await (await send(server, report, { 'idempotency-key': 'k' })).json()).toEqual(first);
  expect(await (await server.request('/api/messages')).json()).toHaveLength(2);
});

test('without a key nothing is sent', async () => {
  const server = mailServer(new Mailbox(join(folder, 'none.jsonl')));
  expect((await send(server, report, { authorization: '' })).status).toBe(401);
  expect(await (await server.request('/api/messages')).json()).toEqual([]);
});

test('the inbox escapes what mails bring, and shows a message without letting it run', async () => {
  const server = mailServer(new Mailbox(join(folder, 'page.jsonl')));
  await send(server, report);
  expect(await (await server.request('/')).text()).toContain('Weekly &lt;report&gt;');
  const content = await server.request('/messages/1/content');
  expect(content.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(await (await server.request('/messages/1/attachments/0')).text()).toBe('%PDF');
});
