import type { ArrivalClock, TopicKind } from '@edgeconductor/sdk/contract';
import type { Incoming } from '../session.ts';
import type { Work } from '../work.ts';
import { readCommandAck } from './command-ack.ts';
import { readOtaStatus } from './ota-status.ts';
import { readShadowGet } from './shadow-get.ts';
import { readReported } from './shadow-reported.ts';
import { readStatus } from './status.ts';
import { readTelemetry } from './telemetry.ts';

export type Handler = (serial: string, message: Incoming, arrival: ArrivalClock) => Work;

/** One handler per kind of message the ingest session subscribes to (topics.ts). Handlers never throw. */
export const HANDLERS: Partial<Record<TopicKind, Handler>> = {
  telemetry: readTelemetry,
  status: readStatus,
  'shadow/reported': readReported,
  'shadow/get': readShadowGet,
  'cmd/ack': readCommandAck,
  'ota/status': readOtaStatus,
};
