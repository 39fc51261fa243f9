import { z } from 'zod';
import { Id, Timestamp, TimestampParam } from './ids.ts';
import { PageQuery } from './page.ts';
import { Search } from './search.ts';

/** Who, what, when, before and after. Append only. */
export const AuditEntry = z
  .object({
    id: z.int(),
    org_id: Id.nullable(),
    action: z.string().describe('e.g. device_registered, rule_fired, config_pushed'),
    created_at: Timestamp,
    actor: z.string().describe('e-mail, key name, serial or "system"'),
    actor_kind: z.string(),
    actor_id: z.string().nullable(),
    target_kind: z.string().nullable(),
    target_id: z.string().nullable(),
    before: z.unknown().optional(),
    after: z.unknown().optional(),
    request_id: z.string().nullable(),
    address: z.string().nullable().describe('Network address it was asked from'),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof AuditEntry>;

export const AuditQuery = PageQuery.extend({
  action: z.string().max(64).optional(),
  actor: Search.optional().describe('Part of the e-mail, key name or serial'),
  target: z.string().max(128).optional().describe('Serial or id of what was changed'),
  from: TimestampParam.optional(),
  to: TimestampParam.optional(),
  format: z.enum(['json', 'csv']).default('json').describe('csv: all that fits, up to 10,000 lines'),
});
export type AuditQuery = z.infer<typeof AuditQuery>;
