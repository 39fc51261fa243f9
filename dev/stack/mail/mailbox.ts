import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface MailAttachment {
  filename: string;
  content_type: string;
  /** Bytes. */
  size: number;
  /** Base64; not part of the list, only of the download. */
  content: string;
}

export interface Mail {
  id: number;
  to: string;
  from: string;
  subject: string;
  text: string;
  html: string;
  attachments: MailAttachment[];
  at: string;
}

export type NewMail = Omit<Mail, 'id' | 'at' | 'from' | 'attachments'> &
  Partial<Pick<Mail, 'from' | 'attachments'>>;

const KEEP = 1000;

/** Every mail the local stack sends, kept in one file of JSON lines; nothing leaves the machine. */
export class Mailbox {
  readonly #file: string;
  readonly #mails: Mail[];

  constructor(file: string) {
    this.#file = file;
    mkdirSync(dirname(file), { recursive: true });
    this.#mails = existsSync(file) ? readMails(file) : [];
    if (this.#mails.length > KEEP) {
      this.#mails.splice(0, this.#mails.length - KEEP);
      writeFileSync(file, this.#mails.map((mail) => `${JSON.stringify(mail)}\n`).join(''));
    }
  }

  deliver(mail: NewMail): Mail {
    const stored: Mail = {
      id: (this.#mails.at(-1)?.id ?? 0) + 1,
      from: '',
      attachments: [],
      at: new Date().toISOString(),
      ...mail,
    };
    this.#mails.push(stored);
    appendFileSync(this.#file, `${JSON.stringify(stored)}\n`);
    return stored;
  }

  /** Newest last, as they were sent. */
  all(): readonly Mail[] {
    return this.#mails;
  }

  find(id: number): Mail | undefined {
    return this.#mails.find((mail) => mail.id === id);
  }

  clear(): void {
    this.#mails.length = 0;
    writeFileSync(this.#file, '');
  }
}

function readMails(file: string): Mail[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return line ? [JSON.parse(line) as Mail] : [];
      } catch {
        // A line cut off by a crash.
        return [];
      }
    });
}
