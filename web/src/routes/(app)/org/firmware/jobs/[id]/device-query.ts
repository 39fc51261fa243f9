import type { OtaJobDevice } from '@edgeconductor/sdk';
import { GROUP_ORDER, statesOf, STATE_WORDS, type UpdateGroup } from '#lib/firmware/update-words.ts';

/** Which devices of a job are shown; lives in the URL, so that a bar, a reason and a link lead to the same list. */

export const DEVICE_FILTERS = ['show', 'reason', 'stage', 'q'] as const;
export type DeviceFilterKey = (typeof DEVICE_FILTERS)[number];
type Params = Pick<URLSearchParams, 'get'>;

export interface DeviceQuery {
  state?: OtaJobDevice['state'][];
  reason?: string;
  stage?: number;
  q?: string;
}

/** `show` is a group ("failed") or one state ("rolled_back"). Nonsense counts as no filter. */
export function readDeviceQuery(params: Params): DeviceQuery {
  const show = params.get('show') ?? '';
  const group = GROUP_ORDER.find((known) => known === show) as UpdateGroup | undefined;
  const single = show in STATE_WORDS ? [show as OtaJobDevice['state']] : undefined;
  const state = group ? statesOf(group) : single;
  const reason = params.get('reason');
  const stage = /^\d{1,2}$/.test(params.get('stage') ?? '') ? Number(params.get('stage')) : undefined;
  const q = params.get('q')?.trim();
  return {
    ...(state && { state }),
    ...(reason && { reason }),
    ...(stage !== undefined && { stage }),
    ...(q && { q }),
  };
}

/** Address with some of it changed (null removes), at the first page. */
export function withDeviceQuery(
  path: string,
  params: Params,
  change: Partial<Record<DeviceFilterKey, string | null>>,
): string {
  const next = new URLSearchParams();
  for (const key of DEVICE_FILTERS) {
    const value = key in change ? change[key] : params.get(key);
    if (value) next.set(key, value);
  }
  return `${path}${next.size > 0 ? `?${next}` : ''}`;
}
