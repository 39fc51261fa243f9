/** The worker as it runs, with a mailbox that answers like Resend. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { listen } from '../../../dev/stack/listen.ts';
import { Mailbox, type Mail } from '../../../dev/stack/mail/mailbox.ts';
import { mailServer } from '../../../dev/stack/mail/server.ts';
import type { TestApi } from './api.ts';
import { startDeno } from './deno.ts';

export interface TestMail {
  url: string;
  log: string[];
  mails: readonly Mail[];
  /** The next so many mails are refused with this status. */
  refuse(status: number, times: number): void;
  /** What the database does after a transaction that wrote mail. */
  kick(secret?: string, body?: string): Promise<{ status: number; body: unknown }>;
  stop(): Promise<void>;
}

export async function startMail(api: TestApi): Promise<TestMail> {
  const folder = mkdtempSync(join(tmpdir(), 'ec-mail-'));
  const mailbox = new Mailbox(join(folder, 'mails.jsonl'));
  const server = mailServer(mailbox);
  const refused = { status: 0, times: 0 };
  const listening = await listen(0, (request) => {
    if (new URL(request.url).pathname !== '/emails' || refused.times === 0) return server.fetch(request);
    refused.times--;
    return Response.json({ name: 'refused_by_test', message: 'no' }, { status: refused.status });
  });
  const { port } = listening.server.address() as AddressInfo;
  const worker = await startDeno('worker', {
    EC_WORKER_DB_URL: api.db.url('ec_worker'),
    EC_WORKER_SECRET: 'worker-secret',
    RESEND_BASE_URL: `http://127.0.0.1:${port}`,
    RESEND_API_KEY: 're_test',
    EC_MAIL_FROM: 'EdgeConductor <no-reply@example.com>',
  });
  return {
    url: worker.url,
    log: worker.log,
    mails: mailbox.all(),
    refuse: (status, times) => Object.assign(refused, { status, times }),
    async kick(secret = 'worker-secret', body = '{"jobs":["mail"]}') {
      const response = await fetch(worker.url, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}` },
        body,
      });
      return { status: response.status, body: await response.json() };
    },
    async stop() {
      await worker.stop();
      await listening.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
