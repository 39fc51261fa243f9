import { Hono } from 'hono';
import { contentOf, inboxPage, mailPage } from './pages.ts';
import type { Mail, Mailbox, MailAttachment } from './mailbox.ts';

interface ResendBody {
  from: string;
  to: string | string[];
  cc?: string | string[];
  bcc?: string | string[];
  subject: string;
  text?: string;
  html?: string;
  attachments?: { filename: string; content: string; content_type?: string; contentType?: string }[];
}

/** The inbox for people and tests, and Resend's `POST /emails` for the code that runs in production. */
export function mailServer(mailbox: Mailbox): Hono {
  const sent = new Map<string, string>();
  const deliver = (body: ResendBody): string => {
    const id = crypto.randomUUID();
    for (const to of [body.to, body.cc ?? [], body.bcc ?? []].flat())
      mailbox.deliver({
        to,
        from: body.from,
        subject: body.subject,
        text: body.text ?? '',
        html: body.html ?? '',
        attachments: (body.attachments ?? []).map(readAttachment),
      });
    return id;
  };
  return new Hono()
    .get('/', (c) => c.html(inboxPage(mailbox.all())))
    .get('/health', (c) => c.json({ ok: true }))
    .get('/api/messages', (c) => {
      const to = c.req.query('to');
      return c.json(
        mailbox
          .all()
          .filter((mail) => to === undefined || mail.to.includes(to))
          .map(listed),
      );
    })
    .delete('/api/messages', (c) => {
      mailbox.clear();
      return c.body(null, 204);
    })
    .get('/messages/:id', (c) => {
      const mail = mailbox.find(Number(c.req.param('id')));
      return mail ? c.html(mailPage(mail)) : c.notFound();
    })
    .get('/messages/:id/content', (c) => {
      const mail = mailbox.find(Number(c.req.param('id')));
      // Nothing in a mail may run or load: it is shown in a frame under this policy.
      c.header(
        'content-security-policy',
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups",
      );
      return mail ? c.html(contentOf(mail)) : c.notFound();
    })
    .get('/messages/:id/attachments/:index', (c) => {
      const attachment = mailbox.find(Number(c.req.param('id')))?.attachments[Number(c.req.param('index'))];
      if (!attachment) return c.notFound();
      c.header('content-type', attachment.content_type);
      c.header(
        'content-disposition',
        `attachment; filename="${attachment.filename.replaceAll(/["\r\n]/g, '')}"`,
      );
      return c.body(new Uint8Array(Buffer.from(attachment.content, 'base64')));
    })
    .post('/emails', async (c) => {
      if (!c.req.header('authorization')?.startsWith('Bearer '))
        return c.json({ statusCode: 401, name: 'missing_api_key', message: 'Missing API key' }, 401);
      const key = c.req.header('idempotency-key');
      const known = key === undefined ? undefined : sent.get(key);
      if (known) return c.json({ id: known });
      const id = deliver((await c.req.json()) as ResendBody);
      if (key) sent.set(key, id);
      return c.json({ id });
    })
    .post('/emails/batch', async (c) => {
      const bodies = (await c.req.json()) as ResendBody[];
      return c.json({ data: bodies.map((body) => ({ id: deliver(body) })) });
    });
}

function readAttachment(part: NonNullable<ResendBody['attachments']>[number]): MailAttachment {
  return {
    filename: part.filename,
    content_type: part.content_type ?? part.contentType ?? 'application/octet-stream',
    size: Buffer.from(part.content, 'base64').length,
    content: part.content,
  };
}

function listed(mail: Mail) {
  const { attachments, ...rest } = mail;
  return {
    ...rest,
    attachments: attachments.map(({ filename, content_type, size }) => ({ filename, content_type, size })),
  };
}
