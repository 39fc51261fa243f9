import { isUtf8 } from 'node:buffer';
import { parsePacket, type ArrivalClock } from '@edgeconductor/sdk/contract';
import type { Incoming } from '../session.ts';
import { deadLetter, emptyWork, type Work } from '../work.ts';

/** devices/{serial}/telemetry: one packet or an array of packets; bad ones become dead letters one by one. */
export function readTelemetry(serial: string, message: Incoming, arrival: ArrivalClock): Work {
  const { payload, dup } = message;
  const work = emptyWork(serial, payload.length);
  // Text is decoded several times faster by Buffer; bytes that are no UTF-8 are for the contract to refuse.
  const { readings, rejects } = parsePacket(isUtf8(payload) ? payload.toString() : payload, arrival);
  const start = `"s":"${serial}","d":`;
  const end = dup ? ',"dup":true}' : '}';
  for (const { d, r, t, q } of readings) {
    work.telemetry.push(`${start}${JSON.stringify(d)},"r":${r},"t":${t},"q":${q}${end}`);
    if (t === null) work.timeless++;
  }
  for (const { reason, detail, payload: text, bytes, r } of rejects)
    work.dead.push(deadLetter({ s: serial, reason, detail, payload: text, bytes, r }));
  return work;
}
