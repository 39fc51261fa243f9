/** What the worker reads from its environment. */
import type { ReadVariable } from '../_shared/env.ts';

export interface WorkerEnv {
  /** Connection of the role ec_worker. */
  dbUrl: string;
  /** What the database sends along when it wakes us. */
  secret: string;
  mail: MailEnv;
}

export interface MailEnv {
  /** Resend, or what speaks like it. */
  baseUrl: string;
  apiKey: string;
  /** `Name <address>`; mails of an organisation carry its name instead. */
  from: string;
}

/** Throws one sentence naming what is missing. */
export function readWorkerEnv(read: ReadVariable): WorkerEnv {
  const need = (name: string): string => {
    const value = read(name);
    if (!value) throw new Error(`The environment variable ${name} is missing`);
    return value;
  };
  return {
    dbUrl: need('EC_WORKER_DB_URL'),
    secret: need('EC_WORKER_SECRET'),
    mail: {
      baseUrl: (read('RESEND_BASE_URL') || 'https://api.resend.com').replace(/\/+$/, ''),
      apiKey: need('RESEND_API_KEY'),
      from: need('EC_MAIL_FROM'),
    },
  };
}
