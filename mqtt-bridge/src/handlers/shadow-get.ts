import type { Incoming } from '../session.ts';
import { emptyWork, type Work } from '../work.ts';

/** devices/{serial}/shadow/get: whatever the body, the answer is the present document on shadow/document. */
export function readShadowGet(serial: string, { payload }: Incoming): Work {
  const work = emptyWork(serial, payload.length);
  work.asked.push(JSON.stringify(serial));
  return work;
}
