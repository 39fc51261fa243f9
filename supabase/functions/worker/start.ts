/** Builds the worker from its environment. */
import { connect } from '../_shared/db.ts';
import type { ReadVariable } from '../_shared/env.ts';
import { createHandler } from './handler.ts';
import { readWorkerEnv } from './env.ts';
import { MailOutbox } from './mail/outbox.ts';
import { sendWithResend } from './mail/resend.ts';
import { sweepMail } from './mail/sweep.ts';
import { onceAtATime } from './once-at-a-time.ts';

export function startWorker(read: ReadVariable): (request: Request) => Promise<Response> {
  const env = readWorkerEnv(read);
  const sql = connect(env.dbUrl, 2, 'ec-worker');
  const outbox = new MailOutbox(sql, crypto.randomUUID());
  return createHandler({
    secret: env.secret,
    jobs: {
      mail: onceAtATime(() => sweepMail(outbox, (mail) => sendWithResend(env.mail, mail), env.mail.from)),
    },
    checkDatabase: async () => {
      await sql`select 1`;
    },
  });
}
