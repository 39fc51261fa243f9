/** Sends what waits, until nothing does. */
import { log } from '../../_shared/log.ts';
import { sha256Hex } from '../../_shared/secrets.ts';
import { render } from '../templates/index.ts';
import type { MailOutbox, OutboxMail } from './outbox.ts';
import { MailRefused } from './resend.ts';
import type { Mail } from './resend.ts';

export type SendMail = (mail: Mail) => Promise<void>;

/** One run takes at most so many batches, so that it ends; the next kick takes the rest. */
const MAX_BATCHES = 25;

export async function sweepMail(
  outbox: Pick<MailOutbox, 'claim' | 'finish' | 'fail'>,
  send: SendMail,
  from: string,
): Promise<{ sent: number; failed: number }> {
  const counts = { sent: 0, failed: 0 };
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    const mails = await outbox.claim();
    if (mails.length === 0) break;
    // One after another: providers allow a few requests a second.
    for (const mail of mails) counts[await deliver(outbox, send, from, mail)]++;
  }
  return counts;
}

async function deliver(
  outbox: Pick<MailOutbox, 'finish' | 'fail'>,
  send: SendMail,
  from: string,
  mail: OutboxMail,
): Promise<'sent' | 'failed'> {
  const { id, template, attempts } = mail;
  try {
    await send(await compose(mail, from));
  } catch (error) {
    const retry = !(error instanceof MailRefused) || error.retry;
    const reason = error instanceof Error ? error.message : String(error);
    log('warn', 'mail not sent', { mail_id: id, template, attempts, retry, reason });
    await outbox.fail(id, reason, retry);
    return 'failed';
  }
  await outbox.finish(id);
  log('info', 'mail sent', { mail_id: id, template, attempts });
  return 'sent';
}

async function compose({ id, to_address, template, data }: OutboxMail, from: string): Promise<Mail> {
  const rendered = render(template, data);
  if (rendered === null) throw new MailRefused(`unknown template or data: ${template}`, false);
  const { sender, replyTo, ...content } = rendered;
  // The id alone is not unique: several projects may share one account.
  const hash = await sha256Hex(JSON.stringify([id, to_address, content.text]));
  return {
    ...content,
    from: sender === null ? from : `"${sender}" <${addressOf(from)}>`,
    to: to_address,
    replyTo: replyTo ?? undefined,
    idempotencyKey: `ec-mail-${id}-${hash.slice(0, 32)}`,
  };
}

/** `Name <a@b>` or `a@b` → `a@b` */
function addressOf(from: string): string {
  return /<([^>]+)>/.exec(from)?.[1] ?? from;
}
