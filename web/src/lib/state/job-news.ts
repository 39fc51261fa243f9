import type { OtaAbortReason, OtaCounts, OtaDeviceState, OtaJobState } from '@edgeconductor/sdk';
import { JOB_STATES } from '#lib/firmware/job-words.ts';
import { STATE_WORDS } from '#lib/firmware/update-words.ts';
import { parseTime } from '#lib/format/time.ts';

/** Reads live messages about updates; an older page must survive a newer sender's shapes. */

/** One device's latest step. */
export interface DeviceStep {
  serial: string;
  state: OtaDeviceState;
  /** Of the download. */
  percent: number | null;
  reason: string | null;
  attempt: number;
  /** Epoch ms. */
  at: number;
}

export interface JobNews {
  id: string;
  state: OtaJobState;
  stage: number;
  soaking_since: string | null;
  abort_reason: OtaAbortReason | null;
  counts: OtaCounts;
  changed: DeviceStep[];
}

/** What a device's own topic says about its update. */
export interface UpdateNews {
  jobId: string;
  number: number;
  version: string;
  state: OtaDeviceState;
  percent: number | null;
  reason: string | null;
}

type Dict = Readonly<Record<string, unknown>>;

/** Event `job`. Null when it makes no sense; devices that make none are left out. */
export function readJobNews(payload: unknown): JobNews | null {
  if (!isDict(payload)) return null;
  const { id, state, stage, soaking_since, abort_reason, counts, changed } = payload;
  if (typeof id !== 'string' || !isJobState(state) || typeof stage !== 'number' || !isDict(counts))
    return null;
  return {
    id,
    state,
    stage,
    soaking_since: typeof soaking_since === 'string' ? soaking_since : null,
    abort_reason: isDict(abort_reason) ? (abort_reason as OtaAbortReason) : null,
    counts: counts as OtaCounts,
    changed: Array.isArray(changed) ? changed.map(step).filter((found) => found !== null) : [],
  };
}

/** Event `ota`. */
export function readUpdateNews(payload: unknown): UpdateNews | null {
  if (!isDict(payload) || !isDeviceState(payload['state'])) return null;
  const { job_id, number, version, state, percent, reason } = payload;
  if (typeof job_id !== 'string' || typeof number !== 'number' || typeof version !== 'string') return null;
  return { jobId: job_id, number, version, state, percent: numberOr(percent), reason: textOr(reason) };
}

function step(value: unknown): DeviceStep | null {
  if (!isDict(value)) return null;
  const { serial, state, percent, reason, attempt, at } = value;
  const time = typeof at === 'string' ? parseTime(at) : null;
  if (typeof serial !== 'string' || !isDeviceState(state) || time === null) return null;
  const turn = typeof attempt === 'number' ? attempt : 1;
  return { serial, state, percent: numberOr(percent), reason: textOr(reason), attempt: turn, at: time };
}

const numberOr = (value: unknown): number | null => (typeof value === 'number' ? value : null);
const textOr = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const isJobState = (value: unknown): value is OtaJobState => typeof value === 'string' && value in JOB_STATES;
const isDeviceState = (value: unknown): value is OtaDeviceState =>
  typeof value === 'string' && value in STATE_WORDS;
const isDict = (value: unknown): value is Dict =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
