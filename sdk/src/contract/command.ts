/** Commands act once: each has an id that both ends know, and an end after which nobody sends it any more. */
import { z } from 'zod';
import { Id, Serial, Timestamp } from './ids.ts';
import { PageQuery } from './page.ts';

export const MAX_COMMAND_BYTES = 4096;
export const DEFAULT_COMMAND_S = 3600;
export const MIN_COMMAND_S = 5;
export const MAX_COMMAND_S = 7 * 86_400;

export const CommandType = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,39}$/, 'a type has up to 40 lower case letters, digits and "_"')
  .describe('reboot, or whatever the firmware knows');
export type CommandType = z.infer<typeof CommandType>;

export const COMMAND_STATES = ['queued', 'sent', 'acknowledged', 'failed', 'expired'] as const;
export const CommandState = z.enum(COMMAND_STATES);
export type CommandState = z.infer<typeof CommandState>;

export const CommandCreate = z
  .strictObject({
    type: CommandType,
    payload: z.unknown().optional().describe(`JSON of at most ${MAX_COMMAND_BYTES} bytes`),
    expires_s: z.int().min(MIN_COMMAND_S).max(MAX_COMMAND_S).default(DEFAULT_COMMAND_S),
  })
  .meta({ id: 'CommandCreate' });
export type CommandCreate = z.output<typeof CommandCreate>;
export type CommandCreateInput = z.input<typeof CommandCreate>;

export const Command = z
  .object({
    id: Id,
    serial: Serial,
    type: CommandType,
    payload: z.unknown(),
    state: CommandState,
    created_at: Timestamp,
    created_by: z.string().nullable().describe('e-mail, key name, rule or "system"'),
    created_by_kind: z.string().nullable(),
    expires_at: Timestamp,
    sent_at: Timestamp.nullable(),
    sent_door: z.enum(['mqtt', 'https']).nullable(),
    acknowledged_at: Timestamp.nullable(),
    result: z.unknown().describe("The device's reply"),
    reason: z.string().nullable().describe('Why it failed'),
  })
  .meta({ id: 'Command' });
export type Command = z.infer<typeof Command>;

export const CommandListQuery = PageQuery.extend({ state: CommandState.optional() });
export type CommandListQuery = z.infer<typeof CommandListQuery>;

/** POST /devices/:serial/commands/:id/ack, the HTTPS twin of cmd/ack. */
export const CommandAck = z
  .object({ ok: z.boolean(), result: z.unknown().optional() })
  .meta({ id: 'CommandAck' });
export type CommandAck = z.infer<typeof CommandAck>;

export const CommandAcknowledged = z
  .object({ id: Id, state: CommandState })
  .meta({ id: 'CommandAcknowledged' });
export type CommandAcknowledged = z.infer<typeof CommandAcknowledged>;
