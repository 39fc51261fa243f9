import { parseOtaStatus, type ArrivalClock } from '@edgeconductor/sdk/contract';
import type { Incoming } from '../session.ts';
import { deadLetter, emptyWork, type Work } from '../work.ts';

/** devices/{serial}/ota/status: how far the device is with an update, or why there will be none. */
export function readOtaStatus(serial: string, { payload }: Incoming, arrival: ArrivalClock): Work {
  const work = emptyWork(serial, payload.length);
  const status = parseOtaStatus(payload);
  const r = arrival();
  if (status.ok) {
    const { job_id, attempt, ...said } = status.report;
    work.ota.push(
      JSON.stringify({ s: serial, j: job_id, ...(attempt === undefined ? {} : { a: attempt }), ...said, r }),
    );
  } else {
    const { reason, detail, payload: text, bytes } = status;
    work.dead.push(deadLetter({ s: serial, reason, detail, payload: text, bytes, r }));
  }
  return work;
}
