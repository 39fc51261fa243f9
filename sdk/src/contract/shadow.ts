/** Desired is written by people, rules and keys; reported by the device alone. AWS Device Shadow rules. */
import { z } from 'zod';
import { ShadowDocument } from './device.ts';
import { Serial, Timestamp } from './ids.ts';
import { MAX_PACKET_BYTES } from './packet-limits.ts';
import { PageQuery } from './page.ts';

export const MAX_SHADOW_BYTES = MAX_PACKET_BYTES;
export const MAX_CLIENT_TOKEN_BYTES = 64;

/** Answer to PATCH /devices/:serial/shadow/desired. */
export const DeviceShadow = z
  .object({
    serial: Serial,
    desired_version: z.int(),
    desired: ShadowDocument,
    desired_times: ShadowDocument.describe('The keys of desired → when each was last changed'),
    reported: ShadowDocument,
    delta: ShadowDocument.describe('Keys of desired that differ in reported'),
    client_token: z.string().optional().describe('As sent in X-Client-Token'),
  })
  .meta({ id: 'DeviceShadow' });
export type DeviceShadow = z.infer<typeof DeviceShadow>;

/** What a device gets on shadow/document: at every change, and when it asks on shadow/get. */
export const ShadowMessage = z
  .looseObject({
    version: z.int().min(0),
    desired: ShadowDocument,
    delta: ShadowDocument,
    at: Timestamp,
    client_token: z.string().optional(),
  })
  .meta({ id: 'ShadowMessage' });
export type ShadowMessage = z.infer<typeof ShadowMessage>;

/** One change of desired; only the keys that changed. */
export const ShadowChange = z
  .object({
    id: z.int(),
    at: Timestamp,
    actor: z.string().describe('e-mail, key name, rule or "system"'),
    actor_kind: z.string(),
    before: ShadowDocument,
    after: ShadowDocument.describe('A key that is missing here was removed'),
  })
  .meta({ id: 'ShadowChange' });
export type ShadowChange = z.infer<typeof ShadowChange>;

export const ShadowHistoryQuery = PageQuery;
export type ShadowHistoryQuery = z.infer<typeof ShadowHistoryQuery>;
