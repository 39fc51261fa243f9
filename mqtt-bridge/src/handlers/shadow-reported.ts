import { parseShadowDocument, type ArrivalClock } from '@edgeconductor/sdk/contract';
import type { Incoming } from '../session.ts';
import { deadLetter, emptyWork, type Work } from '../work.ts';

/** devices/{serial}/shadow/reported: a document merged into the reported shadow. */
export function readReported(serial: string, { payload }: Incoming, arrival: ArrivalClock): Work {
  const work = emptyWork(serial, payload.length);
  const document = parseShadowDocument(payload);
  const r = arrival();
  if (document.ok) {
    work.reported.push(JSON.stringify({ s: serial, d: document.data, r, door: 'mqtt' }));
  } else {
    const { reason, detail, payload: text, bytes } = document;
    work.dead.push(deadLetter({ s: serial, reason, detail, payload: text, bytes, r }));
  }
  return work;
}
