import { inject, vi } from 'vitest';

export interface Mail {
  to: string;
  subject: string;
  text: string;
  html: string;
}

export async function mailsTo(address: string): Promise<Mail[]> {
  const { mail_url } = inject('world');
  const answer = await fetch(`${mail_url}/api/messages?to=${encodeURIComponent(address)}`);
  return (await answer.json()) as Mail[];
}

/** The newest mail to an address that has had `seen` of them, as soon as it is there. */
export async function nextMail(address: string, seen = 0): Promise<Mail> {
  return vi.waitFor(
    async () => {
      const mails = await mailsTo(address);
      if (mails.length <= seen) throw new Error(`No mail came to ${address}.`);
      return mails.at(-1)!;
    },
    { timeout: 20_000, interval: 100 },
  );
}

/** The six digits of the newest mail. */
export async function codeFor(address: string, seen = 0): Promise<string> {
  const { subject, text } = await nextMail(address, seen);
  const found = /\b\d{6}\b/.exec(`${subject} ${text}`);
  if (!found) throw new Error(`The mail "${subject}" has no code.`);
  return found[0];
}

/** The link to a page of the app in the newest mail, as a path. */
export async function linkFor(address: string, page: string, seen = 0): Promise<string> {
  const { subject, text } = await nextMail(address, seen);
  const found = new RegExp(`https?://[^\\s<>"]*(${page}\\?[^\\s<>"]+)`).exec(text);
  if (!found?.[1]) throw new Error(`The mail "${subject}" has no link to ${page}.`);
  return found[1];
}
