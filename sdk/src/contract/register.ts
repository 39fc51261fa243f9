/** Registering devices: REST, CLI and the firmware on its first boot. */
import { z } from 'zod';
import { DeviceStatus, Lifecycle } from './device.ts';
import { ErrorCode } from './errors.ts';
import { FwVersion, Id, ProductTypeKey, Serial, Timestamp } from './ids.ts';

/** `serial` and `productType` are aliases that clients in the field send. Other keys are ignored. */
export const RegisterRequest = z
  .object({
    serial_no: Serial.optional(),
    serial: Serial.optional(),
    product_type: ProductTypeKey.optional(),
    productType: ProductTypeKey.optional(),
    fw_version: FwVersion.nullable().optional(),
  })
  .superRefine((value, ctx) => {
    for (const [key, alias] of [
      ['serial_no', 'serial'],
      ['product_type', 'productType'],
    ] as const) {
      if (value[key] === undefined && value[alias] === undefined) {
        ctx.addIssue({ code: 'custom', path: [key], message: 'is required' });
      }
      if (value[key] !== undefined && value[alias] !== undefined && value[key] !== value[alias]) {
        ctx.addIssue({ code: 'custom', path: [alias], message: `contradicts ${key}` });
      }
    }
  })
  .transform((value) => ({
    serial_no: (value.serial_no ?? value.serial) as Serial,
    product_type: (value.product_type ?? value.productType) as ProductTypeKey,
    fw_version: value.fw_version ?? null,
  }))
  .meta({ id: 'RegisterRequest' });
export type RegisterRequest = z.output<typeof RegisterRequest>;
export type RegisterRequestInput = z.input<typeof RegisterRequest>;

export const RegisteredDevice = z
  .object({
    id: Id,
    serial_no: Serial,
    product_type: ProductTypeKey,
    fw_version: FwVersion.nullable(),
    status: DeviceStatus,
    lifecycle: Lifecycle,
    org_id: Id,
  })
  .meta({ id: 'RegisteredDevice' });
export type RegisteredDevice = z.infer<typeof RegisteredDevice>;

const OtaPublicKey = z.string().describe('Ed25519, 32 bytes, base64: what the device checks firmware with');

/** Everything a device needs to live; given the first time, and again until it first authenticated. */
export const DeviceSecrets = z
  .object({
    mqtt_username: Serial,
    mqtt_password: z.string().describe('The ec_dev_… secret, for MQTT and as Bearer token over HTTPS'),
    mqtt_host: z.string(),
    mqtt_port: z.int(),
    mqtt_ca: z
      .string()
      .nullable()
      .describe('PEM of the certificate authority, null when a public one signed'),
    https_url: z.url(),
    claim_url: z.url().nullable().describe('For the QR code; null when the caller may not hand it out'),
    ota_public_key: OtaPublicKey,
    telemetry_interval_s: z.int(),
    server_time: Timestamp,
  })
  .meta({ id: 'DeviceSecrets' });
export type DeviceSecrets = z.infer<typeof DeviceSecrets>;

export const RegisterReply = RegisteredDevice.extend(DeviceSecrets.partial().shape)
  .extend({ ota_public_key: OtaPublicKey })
  .meta({ id: 'RegisterReply' });
export type RegisterReply = z.infer<typeof RegisterReply>;

export const MAX_BULK_DEVICES = 500;
/** Items are checked one by one, so that one bad row does not lose the others. */
export const BulkRegisterRequest = z
  .strictObject({ devices: z.array(z.record(z.string(), z.unknown())).min(1).max(MAX_BULK_DEVICES) })
  .meta({ id: 'BulkRegisterRequest' });
export type BulkRegisterRequest = z.infer<typeof BulkRegisterRequest>;

export const BulkRegisterItem = z
  .object({
    index: z.int(),
    serial_no: z.string().nullable(),
    ok: z.boolean(),
    device: RegisterReply.optional(),
    error: z.object({ code: ErrorCode, detail: z.string() }).optional(),
  })
  .meta({ id: 'BulkRegisterItem' });
export type BulkRegisterItem = z.infer<typeof BulkRegisterItem>;

export const BulkRegisterReply = z
  .object({ results: z.array(BulkRegisterItem), created: z.int(), existing: z.int(), failed: z.int() })
  .meta({ id: 'BulkRegisterReply' });
export type BulkRegisterReply = z.infer<typeof BulkRegisterReply>;
