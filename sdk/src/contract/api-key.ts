import { z } from 'zod';
import { Id, Name, ProductTypeKey, Timestamp, TimestampInput } from './ids.ts';

/** How each kind of secret begins; the rest is base64url of random bytes. */
export const SECRET_PREFIX = {
  api_key: 'ec_live_',
  provisioning_key: 'ec_prov_',
  device: 'ec_dev_',
} as const;

export const ApiScope = z.enum(['read', 'write', 'ota', 'provision']);
export type ApiScope = z.infer<typeof ApiScope>;

export const ApiKey = z
  .object({
    id: Id,
    org_id: Id,
    name: z.string(),
    prefix: z.string().describe('First characters of the key, to recognise it'),
    scopes: z.array(ApiScope),
    created_by: Id.nullable(),
    created_at: Timestamp,
    expires_at: Timestamp.nullable(),
    last_used_at: Timestamp.nullable(),
    revoked_at: Timestamp.nullable(),
  })
  .meta({ id: 'ApiKey' });
export type ApiKey = z.infer<typeof ApiKey>;

/** The only reply that ever holds the key. */
export const ApiKeyCreated = ApiKey.extend({ key: z.string() }).meta({ id: 'ApiKeyCreated' });
export type ApiKeyCreated = z.infer<typeof ApiKeyCreated>;

export const ApiKeyCreate = z
  .strictObject({
    name: Name,
    scopes: z
      .array(ApiScope)
      .min(1)
      .optional()
      .describe('All that its maker may give when absent; write includes read'),
    expires_at: TimestampInput.nullable().optional(),
  })
  .meta({ id: 'ApiKeyCreate' });
export type ApiKeyCreate = z.output<typeof ApiKeyCreate>;
export type ApiKeyCreateInput = z.input<typeof ApiKeyCreate>;

/** `known`: only serials that are in the registry already; `new`: creates them, with prefix and count. */
export const ProvisioningMode = z.enum(['known', 'new']);
export type ProvisioningMode = z.infer<typeof ProvisioningMode>;

export const ProvisioningKey = z
  .object({
    id: Id,
    org_id: Id,
    product_type: ProductTypeKey,
    name: z.string(),
    mode: ProvisioningMode,
    serial_prefix: z.string().nullable(),
    max_count: z.int().nullable(),
    used_count: z.int(),
    prefix: z.string(),
    created_at: Timestamp,
    expires_at: Timestamp.nullable(),
    revoked_at: Timestamp.nullable(),
    last_used_at: Timestamp.nullable(),
  })
  .meta({ id: 'ProvisioningKey' });
export type ProvisioningKey = z.infer<typeof ProvisioningKey>;

export const ProvisioningKeyCreated = ProvisioningKey.extend({ key: z.string() }).meta({
  id: 'ProvisioningKeyCreated',
});
export type ProvisioningKeyCreated = z.infer<typeof ProvisioningKeyCreated>;

export const ProvisioningKeyCreate = z
  .strictObject({
    name: Name,
    product_type: ProductTypeKey,
    mode: ProvisioningMode.default('known'),
    serial_prefix: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/)
      .nullable()
      .optional(),
    max_count: z.int().min(1).max(1_000_000).nullable().optional(),
    expires_at: TimestampInput.nullable().optional(),
  })
  .refine(
    (value) => value.mode !== 'new' || (value.serial_prefix && value.max_count && value.expires_at),
    'a key for new serials needs serial_prefix, max_count and expires_at',
  )
  .meta({ id: 'ProvisioningKeyCreate' });
export type ProvisioningKeyCreate = z.output<typeof ProvisioningKeyCreate>;
export type ProvisioningKeyCreateInput = z.input<typeof ProvisioningKeyCreate>;
