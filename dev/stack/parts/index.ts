import type { Part } from '../context.ts';
import type { PartName } from '../options.ts';
import { auth } from './auth.ts';
import { bridge } from './bridge.ts';
import { broker } from './broker.ts';
import { cron } from './cron.ts';
import { db } from './db.ts';
import { demo } from './demo.ts';
import { api, worker } from './functions.ts';
import { mail } from './mail.ts';
import { realtime } from './realtime.ts';
import { web } from './web.ts';

export const parts: Record<PartName, Part> = {
  db,
  mail,
  auth,
  api,
  worker,
  realtime,
  cron,
  broker,
  bridge,
  web,
  demo,
};
