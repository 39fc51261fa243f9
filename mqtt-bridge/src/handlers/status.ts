import { parseStatus, type ArrivalClock } from '@edgeconductor/sdk/contract';
import type { Incoming } from '../session.ts';
import { emptyWork, type Work } from '../work.ts';

/** devices/{serial}/status: birth and last will. Anything else there says nothing and is passed over. */
export function readStatus(serial: string, { payload }: Incoming, arrival: ArrivalClock): Work {
  const work = emptyWork(serial, payload.length);
  const online = parseStatus(payload);
  if (online !== null) work.status.push(JSON.stringify({ s: serial, online, r: arrival() }));
  return work;
}
