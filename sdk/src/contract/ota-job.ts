/** Update jobs: which devices get a firmware, in which stages, when, and what becomes of each of them. */
import { z } from 'zod';
import { DeviceStatus } from './device.ts';
import { FilterFields } from './device-filter.ts';
import { FwVersion, Id, Name, ProductTypeKey, Serial, Timestamp, TimestampInput } from './ids.ts';
import { PageQuery } from './page.ts';

export const MAX_JOB_SERIALS = 10_000;
export const MAX_JOB_DEVICES = 50_000;
export const MAX_JOB_STAGES = 20;
export const DEFAULT_FAILURE_PCT = 20;
export const DEFAULT_OTA_TIMEOUT_S = 1800;

export const OTA_JOB_STATES = ['scheduled', 'running', 'paused', 'aborted', 'completed'] as const;
export const OtaJobState = z.enum(OTA_JOB_STATES);
export type OtaJobState = z.infer<typeof OtaJobState>;

export const OTA_DEVICE_STATES = [
  ...(['queued', 'sent', 'downloading', 'installing', 'rebooting'] as const),
  ...(['succeeded', 'failed', 'rolled_back', 'timed_out', 'rejected', 'cancelled'] as const),
] as const;
/** What an update of one device is at. */
export const OtaDeviceState = z.enum(OTA_DEVICE_STATES);
export type OtaDeviceState = z.infer<typeof OtaDeviceState>;
/** Between the message to the device and the end. */
export const OTA_IN_PROGRESS = [
  'sent',
  'downloading',
  'installing',
  'rebooting',
] as const satisfies OtaDeviceState[];

/** Why a device is not in a job. */
export const OTA_EXCLUSIONS = [
  ...(['not_found', 'retired', 'other_type', 'other_maker', 'other_chip'] as const),
  ...(['same_version', 'newer_version', 'busy'] as const),
] as const;
export const OtaExclusion = z.enum(OTA_EXCLUSIONS);
export type OtaExclusion = z.infer<typeof OtaExclusion>;

/** The list is fixed when the job is made. */
export const OtaTarget = z
  .union([
    z.strictObject({ serials: z.array(Serial).min(1).max(MAX_JOB_SERIALS) }),
    z.strictObject({ filter: FilterFields }),
    z.strictObject({ filter_id: Id.describe('A saved filter') }),
    z.strictObject({ product_type: ProductTypeKey.describe('All devices of this type') }),
  ])
  .meta({ id: 'OtaTarget' });
export type OtaTarget = z.infer<typeof OtaTarget>;

const soak = {
  soak_s: z
    .int()
    .min(0)
    .max(30 * 86_400)
    .default(0)
    .describe('Seconds between its success and the next one'),
};

/** The first one is the canary. */
export const OtaStage = z
  .union([
    z.strictObject({ count: z.int().min(1).max(MAX_JOB_DEVICES), ...soak }),
    z.strictObject({ percent: z.number().gt(0).max(100).describe('Of the whole job, cumulative'), ...soak }),
    z.strictObject({ serials: z.array(Serial).min(1).max(1000), ...soak }),
  ])
  .meta({ id: 'OtaStage' });
export type OtaStage = z.infer<typeof OtaStage>;
export type OtaStageInput = z.input<typeof OtaStage>;

const Clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'use HH:MM');
export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** When devices may be updated, by the clock of the place they are in; may go over midnight. */
export const OtaWindow = z
  .strictObject({
    start: Clock,
    end: Clock,
    days: z.array(z.enum(WEEKDAYS)).min(1).max(7).optional().describe('On which it opens; every day'),
  })
  .refine((value) => value.start !== value.end, 'start and end must differ')
  .meta({ id: 'OtaWindow' });
export type OtaWindow = z.infer<typeof OtaWindow>;

export const OtaJobCreate = z
  .strictObject({
    firmware_id: Id,
    target: OtaTarget,
    stages: z.array(OtaStage).min(1).max(MAX_JOB_STAGES).optional().describe('All at once by default'),
    failure_pct: z.int().min(1).max(100).optional().describe('Of those of a stage that were told; 20'),
    failure_min: z.int().min(1).max(MAX_JOB_DEVICES).optional().describe('1 for a small canary, else 3'),
    timeout_s: z.int().min(60).max(86_400).optional().describe('Of silence in one device; 1800'),
    force: z.boolean().optional().describe('Also older and equal versions'),
    window: OtaWindow.nullable().optional(),
    starts_at: TimestampInput.nullable().optional(),
    name: Name.nullable().optional(),
  })
  .meta({ id: 'OtaJobCreate' });
export type OtaJobCreate = z.output<typeof OtaJobCreate>;
export type OtaJobInput = z.input<typeof OtaJobCreate>;

export const OtaCounts = z
  .partialRecord(OtaDeviceState, z.int())
  .describe('state → devices; states nobody is in may be missing');
export type OtaCounts = z.infer<typeof OtaCounts>;

const JobFirmware = z.object({
  id: Id,
  version: FwVersion,
  product_type: ProductTypeKey,
  size: z.int().nullable(),
});

export const OtaPreviewDevice = z.object({
  serial: Serial,
  name: z.string().nullable(),
  fw_version: z.string().nullable(),
  status: DeviceStatus.nullable(),
  stage: z.int().nullable().describe('0 = the first; null: not in the job'),
  reason: OtaExclusion.nullable(),
  detail: z.unknown().describe('busy: {job: its number}'),
});
export type OtaPreviewDevice = z.infer<typeof OtaPreviewDevice>;

const StageShape = z.object({
  ...{ count: z.int().optional(), percent: z.number().optional(), serials: z.array(Serial).optional() },
  soak_s: z.int(),
  devices: z.int(),
});
export const OtaPreviewStage = StageShape;
export type OtaPreviewStage = z.infer<typeof OtaPreviewStage>;

export const OtaPreview = z
  .object({
    number: z.int().describe('What the job would be called'),
    firmware: JobFirmware,
    stages: z.array(OtaPreviewStage),
    targeted: z.int().describe('Devices that would be updated'),
    excluded: z.int(),
    reasons: z.partialRecord(OtaExclusion, z.int()).describe('Why not → devices'),
    devices: z.array(OtaPreviewDevice).describe('As many as a screen can show; the counts are of all'),
  })
  .meta({ id: 'OtaPreview' });
export type OtaPreview = z.infer<typeof OtaPreview>;

export const OtaJobStage = StageShape.extend({ counts: OtaCounts });
export type OtaJobStage = z.infer<typeof OtaJobStage>;

export const OtaFailure = z.object({
  state: OtaDeviceState,
  reason: z.string().nullable(),
  devices: z.int(),
});
export type OtaFailure = z.infer<typeof OtaFailure>;

/** Too many failures in a stage, a stage without any success, or somebody's word. */
export const OtaAbortReason = z.looseObject({
  kind: z.enum(['failure_threshold', 'no_success', 'by_hand']),
  stage: z.int().nullish(),
  failed: z.int().nullish(),
  finished: z.int().nullish(),
  pct: z.number().nullish(),
  by: z.string().nullish(),
});
export type OtaAbortReason = z.infer<typeof OtaAbortReason>;

export const OtaJob = z
  .object({
    id: Id,
    org_id: Id,
    number: z.int().describe('Counts per organisation'),
    name: z.string().nullable(),
    single: z.boolean().describe('Made for one device, from its page'),
    firmware: JobFirmware,
    target: OtaTarget,
    stages: z.array(OtaJobStage),
    stage: z.int().describe('The current one, 0 = the first'),
    soaking_since: Timestamp.nullable(),
    state: OtaJobState,
    abort_reason: OtaAbortReason.nullable(),
    failure_pct: z.int(),
    failure_min: z.int().nullable().describe('null: 1 for a canary of up to 10, else 3'),
    timeout_s: z.int(),
    force: z.boolean(),
    window: OtaWindow.nullable(),
    starts_at: Timestamp.nullable(),
    created_at: Timestamp,
    created_by: z.string().nullable(),
    created_by_kind: z.string().nullable(),
    started_at: Timestamp.nullable(),
    finished_at: Timestamp.nullable(),
    targeted: z.int().describe('All devices of the job'),
    counts: OtaCounts,
    failures: z.array(OtaFailure).describe('What went wrong, the most frequent first'),
  })
  .meta({ id: 'OtaJob' });
export type OtaJob = z.infer<typeof OtaJob>;

export const OtaJobListQuery = PageQuery.extend({
  state: OtaJobState.optional(),
  product_type: ProductTypeKey.optional(),
});
export type OtaJobListQuery = z.infer<typeof OtaJobListQuery>;

/** One device of a job. */
export const OtaJobDevice = z
  .object({
    serial: Serial,
    name: z.string().nullable(),
    state: OtaDeviceState,
    percent: z.int().nullable().describe('Of the download'),
    reason: z.string().nullable(),
    stage: z.int(),
    from_version: z.string().nullable(),
    attempt: z.int(),
    not_before: Timestamp.nullable().describe('Waits for its window, or was put off until then'),
    changed_at: Timestamp.nullable(),
    sent_at: Timestamp.nullable(),
    finished_at: Timestamp.nullable(),
  })
  .meta({ id: 'OtaJobDevice' });
export type OtaJobDevice = z.infer<typeof OtaJobDevice>;

export const OtaJobDevicesQuery = PageQuery.extend({
  state: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(OtaDeviceState))
    .optional()
    .meta({ type: 'string', description: 'One state, or several with commas between them' }),
  reason: z.string().max(200).optional().describe('Exactly this one'),
  stage: z
    .string()
    .regex(/^\d{1,2}$/, 'use a whole number')
    .transform(Number)
    .optional()
    .meta({ type: 'integer' }),
  q: z.string().trim().min(1).max(100).optional().describe('Part of the serial number or the name'),
});
export type OtaJobDevicesQuery = z.infer<typeof OtaJobDevicesQuery>;

/** A step of one device, or of the whole job. */
export const OtaEvent = z
  .object({ at: Timestamp, state: OtaDeviceState, detail: z.unknown() })
  .meta({ id: 'OtaEvent' });
export type OtaEvent = z.infer<typeof OtaEvent>;
export const OtaTimelineEntry = z
  .object({ at: Timestamp, event: z.string(), detail: z.unknown() })
  .meta({ id: 'OtaTimelineEntry' });
export type OtaTimelineEntry = z.infer<typeof OtaTimelineEntry>;

/** POST /ota-jobs/:id/retry: failed, timed out, rolled back and cancelled ones by default. */
export const OtaRetry = z
  .strictObject({ states: z.array(OtaDeviceState).min(1).optional() })
  .meta({ id: 'OtaRetry' });
export type OtaRetry = z.infer<typeof OtaRetry>;

/** One update of a device, newest first in GET /devices/:serial/ota. */
export const DeviceOta = OtaJobDevice.omit({ serial: true, name: true })
  .extend({
    job_id: Id,
    job_number: z.int(),
    job_name: z.string().nullable(),
    job_state: OtaJobState,
    firmware_id: Id,
    version: FwVersion,
    created_at: Timestamp,
  })
  .meta({ id: 'DeviceOta' });
export type DeviceOta = z.infer<typeof DeviceOta>;
