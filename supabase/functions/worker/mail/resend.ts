/** Sending one mail through Resend's HTTP API. */
import type { MailEnv } from '../env.ts';

export interface Mail {
  from: string;
  to: string;
  subject: string;
  text: string;
  html: string;
  replyTo?: string | undefined;
  /** The same for every attempt at one mail, so that a reply lost on the way sends nothing twice. */
  idempotencyKey: string;
}

/** `retry`: whether another attempt may end better. The message holds nothing of the mail itself. */
export class MailRefused extends Error {
  override name = 'MailRefused';
  readonly retry: boolean;
  constructor(message: string, retry: boolean) {
    super(message);
    this.retry = retry;
  }
}

const TIMEOUT_MS = 15_000;

/** Throws MailRefused. */
export async function sendWithResend(env: MailEnv, mail: Mail): Promise<void> {
  const { from, to, subject, text, html, replyTo, idempotencyKey } = mail;
  const response = await fetch(`${env.baseUrl}/emails`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${env.apiKey}`,
      'content-type': 'application/json',
      'idempotency-key': idempotencyKey,
    },
    body: JSON.stringify({ from, to: [to], subject, text, html, ...(replyTo && { reply_to: replyTo }) }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: unknown) => {
    throw new MailRefused(`no answer: ${error instanceof Error ? error.name : 'unknown'}`, true);
  });
  const answer = await response.text().catch(() => '');
  if (response.ok) return;
  throw new MailRefused(`${response.status} ${nameOf(answer)}`.trim(), mayRetry(response.status));
}

/** A wrong key or address of ours can be put right; a mail that is not valid stays so. */
function mayRetry(status: number): boolean {
  return status >= 500 || [401, 403, 408, 409, 429].includes(status);
}

/** Resend's name of the error; its message may repeat what was sent. */
function nameOf(answer: string): string {
  try {
    const { name } = JSON.parse(answer) as { name?: unknown };
    return typeof name === 'string' ? name.slice(0, 100) : '';
  } catch {
    return '';
  }
}
