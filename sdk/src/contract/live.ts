/** Live screens: private Realtime broadcast topics, kept alive by leases (architecture, decision 10). */
import { z } from 'zod';
import { Command } from './command.ts';
import { DeviceStatus, ShadowDocument } from './device.ts';
import { Serial, Timestamp } from './ids.ts';
import { MAX_LIVE_TOPICS } from './live-topic.ts';
import { Notification } from './notification.ts';
import { DeviceOta, OtaJob, OtaJobDevice } from './ota-job.ts';

/** What a client asks for: `org:<uuid>`, `bell:<org uuid>` (its notifications), `job:<uuid>` or `device:<serial>`. */
export const LiveAsk = z
  .string()
  .regex(
    /^((org|bell|job):[0-9a-f-]{36}|device:[A-Za-z0-9][A-Za-z0-9_-]{2,63})$/,
    'use org:<id>, bell:<org id>, job:<id> or device:<serial>',
  );
export type LiveAsk = z.infer<typeof LiveAsk>;

export const LiveLeaseRequest = z
  .strictObject({ topics: z.array(LiveAsk).min(1).max(MAX_LIVE_TOPICS) })
  .meta({ id: 'LiveLeaseRequest' });
export type LiveLeaseRequest = z.infer<typeof LiveLeaseRequest>;

/** `topic` is the channel to join; it carries an epoch that changes when access is taken away. */
export const LiveLease = z
  .object({ asked: LiveAsk, topic: z.string(), expires_at: Timestamp })
  .meta({ id: 'LiveLease' });
export type LiveLease = z.infer<typeof LiveLease>;

export const LiveLeases = z
  .object({ leases: z.array(LiveLease), renew_s: z.int(), server_time: Timestamp })
  .meta({ id: 'LiveLeases' });
export type LiveLeases = z.infer<typeof LiveLeases>;

/** A JWT of at most ten minutes for exactly these topics, for credentials that are no JWT. */
export const LiveToken = LiveLeases.extend({ token: z.string(), expires_at: Timestamp }).meta({
  id: 'LiveToken',
});
export type LiveToken = z.infer<typeof LiveToken>;

/** Event `telemetry` on a device's topic. */
export const LiveTelemetry = z.object({
  serial: Serial,
  ts: Timestamp,
  data: ShadowDocument,
  last_seen: Timestamp,
  status: DeviceStatus,
});
export type LiveTelemetry = z.infer<typeof LiveTelemetry>;

/** Event `fleet` on an org's topic: only the devices that changed since the last one. */
export const LiveFleet = z.object({
  devices: z.array(
    z.object({
      serial: Serial,
      ts: Timestamp,
      last_seen: Timestamp,
      status: DeviceStatus,
      values: ShadowDocument,
    }),
  ),
});
export type LiveFleet = z.infer<typeof LiveFleet>;

/** Event `presence` on both: the broker session began or ended. */
export const LivePresence = z.object({ serial: Serial, connected: z.boolean(), status: DeviceStatus });
export type LivePresence = z.infer<typeof LivePresence>;

/** Event `shadow` on a device's topic: desired changed. */
export const LiveShadow = z.object({
  serial: Serial,
  desired: ShadowDocument,
  desired_version: z.int(),
  delta: ShadowDocument,
  at: Timestamp,
  client_token: z.string().optional(),
});
export type LiveShadow = z.infer<typeof LiveShadow>;

/** Event `command` on a device's topic: a command has another state. */
export const LiveCommand = Command.pick({
  serial: true,
  id: true,
  type: true,
  state: true,
  reason: true,
  created_at: true,
  sent_at: true,
  acknowledged_at: true,
  expires_at: true,
});
export type LiveCommand = z.infer<typeof LiveCommand>;

/** Event `notification` on an org's bell: something happened, unread for whoever hears it. */
export const LiveNotification = Notification;
export type LiveNotification = z.infer<typeof LiveNotification>;

/** Event `job` on a job's topic: its state, its counts, and the devices that changed since the last one (≤ 500). */
export const LiveJob = OtaJob.pick({
  id: true,
  number: true,
  state: true,
  stage: true,
  soaking_since: true,
  abort_reason: true,
  counts: true,
}).extend({
  changed: z.array(
    OtaJobDevice.pick({ serial: true, state: true, percent: true, reason: true, attempt: true }).extend({
      at: Timestamp,
    }),
  ),
});
export type LiveJob = z.infer<typeof LiveJob>;

/** Event `ota` on a device's topic: its update is a step further. */
export const LiveOta = DeviceOta.pick({
  job_id: true,
  version: true,
  state: true,
  percent: true,
  reason: true,
  attempt: true,
}).extend({ serial: Serial, number: z.int().describe('Of the job'), at: Timestamp });
export type LiveOta = z.infer<typeof LiveOta>;

export const LIVE_EVENTS = {
  telemetry: LiveTelemetry,
  fleet: LiveFleet,
  presence: LivePresence,
  shadow: LiveShadow,
  command: LiveCommand,
  notification: LiveNotification,
  job: LiveJob,
  ota: LiveOta,
} as const;
export type LiveEvent = keyof typeof LIVE_EVENTS;
