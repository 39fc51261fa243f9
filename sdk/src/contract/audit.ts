import { z } from 'zod';
import { Id, Timestamp } from './ids.ts';
import { PageQuery } from './page.ts';

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
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof AuditEntry>;

export const AuditQuery = PageQuery.extend({ action: z.string().max(64).optional() });
export type AuditQuery = z.infer<typeof AuditQuery>;
