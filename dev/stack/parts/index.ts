import type { Part } from '../context.ts';
import type { PartName } from '../options.ts';
import { db } from './db.ts';

const none: Part = { needs: [], start: () => Promise.resolve({ stop: () => Promise.resolve() }) };
export const parts: Record<PartName, Part> = {
  db,
  mail: none,
  auth: none,
  api: none,
  worker: none,
  realtime: none,
  cron: none,
  broker: none,
  bridge: none,
  web: none,
  demo: none,
};
