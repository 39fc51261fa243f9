import { parseCommandAck, type ArrivalClock } from '@edgeconductor/sdk/contract';
import type { Incoming } from '../session.ts';
import { deadLetter, emptyWork, type Work } from '../work.ts';

/** devices/{serial}/cmd/ack: what came of a command. */
export function readCommandAck(serial: string, { payload }: Incoming, arrival: ArrivalClock): Work {
  const work = emptyWork(serial, payload.length);
  const ack = parseCommandAck(payload);
  const r = arrival();
  if (ack.ok) {
    const { id, success, result } = ack;
    work.acks.push(JSON.stringify({ s: serial, id, ok: success, result, r }));
  } else {
    const { reason, detail, payload: text, bytes } = ack;
    work.dead.push(deadLetter({ s: serial, reason, detail, payload: text, bytes, r }));
  }
  return work;
}
