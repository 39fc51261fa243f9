/** Routes that a device itself calls with its secret; TEL's second door. */
import {
  parsePacket,
  ReportedAccepted,
  ShadowDocument,
  TelemetryAccepted,
} from '@edgeconductor/sdk/contract';
import { z } from 'zod';
import { refuseSecret } from '../../_shared/auth.ts';
import { AppError } from '../../_shared/errors.ts';
import { sha256Hex } from '../../_shared/secrets.ts';
import { takeDeviceTurn } from '../http/admit.ts';
import { MAX_JSON_BYTES } from '../http/body.ts';
import { Reply, route } from '../http/route.ts';
import type { ExpressCall } from '../http/route.ts';
import { pushTelemetry, reportShadow, telemetryReply } from '../services/device-inbox.ts';
import { SerialParams } from './params.ts';

const tag = 'Device routes';
const Packets = z
  .union([ShadowDocument, z.array(ShadowDocument).max(1000)])
  .describe('One packet, or an array of packets with their own ts');

/** Many devices' requests share one transaction; answered after its commit. */
async function receive({ params, secret, body, around }: ExpressCall<{ serial: string }>) {
  const secretHash = await sha256Hex(secret);
  await takeDeviceTurn(around, secretHash);
  const parsed = await readPackets(body, around.arrival);
  const result = await around.door.submit({ serial: params.serial, secretHash, parsed });
  if (!result.ok) throw await refuseSecret(around.sql, secretHash);
  const answer = telemetryReply(result, parsed.rejects, parsed.usable);
  if (answer instanceof AppError) throw answer;
  return result.reboot ? new Reply<TelemetryAccepted>(205, undefined as never) : new Reply(200, answer);
}

/** A body beyond the limit is refused, but its device's organisation sees that it was sent. */
async function readPackets(
  body: () => Promise<Uint8Array>,
  arrival: () => number,
): Promise<ReturnType<typeof parsePacket>> {
  try {
    return parsePacket(await body(), arrival);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'too_large') throw error;
    const reject = {
      index: 0,
      reason: 'too_large',
      detail: error.message,
      payload: '',
      bytes: MAX_JSON_BYTES + 1,
      r: arrival(),
    } as const;
    return { readings: [], positions: [], rejects: [reject], usable: false };
  }
}

export const deviceDoorRoutes = [
  route({
    method: 'post',
    path: '/devices/{serial}/telemetry',
    who: { device: true, api_key: ['write'] },
    tag,
    summary: 'Send one packet or a batch; 205 without a body asks the device to restart',
    params: SerialParams,
    body: Packets,
    rawBody: true,
    replies: { 200: TelemetryAccepted, 205: null },
    express: receive,
    handle: async ({ db, params, body, around }) => {
      const bytes = body as unknown as Uint8Array;
      const answer = await pushTelemetry(db, params.serial, bytes, around.arrival);
      return answer === 'reboot' ? new Reply(205, undefined as never) : answer;
    },
  }),
  route({
    method: 'post',
    path: '/devices/{serial}/shadow/reported',
    who: { device: true },
    tag,
    summary: 'Report shadow values; null removes a key',
    params: SerialParams,
    body: ShadowDocument,
    rawBody: true,
    replies: { 200: ReportedAccepted },
    handle: ({ db, params, body, around }) =>
      reportShadow(db, params.serial, body as unknown as Uint8Array, around.arrival),
  }),
];
