import { join } from 'node:path';
import type { Context, Part } from '../context.ts';
import { listen } from '../listen.ts';
import { Mailbox } from '../mail/mailbox.ts';
import { mailServer } from '../mail/server.ts';

/** The local mail box: what Auth and the worker send ends here. */
export const mail: Part = {
  needs: [],
  async start(context: Context) {
    const mailbox = new Mailbox(join(context.dataDir, 'mail.jsonl'));
    const listening = await listen(context.ports.mail, mailServer(mailbox).fetch);
    context.mailbox = mailbox;
    return { stop: listening.close };
  },
};
