import type { OtaJobState } from '@edgeconductor/sdk';

/** The list's filter lives in the URL: a link is a saved view. */
export interface JobFilter {
  state?: OtaJobState;
  type?: string;
}

export const JOB_FILTER_STATES: readonly OtaJobState[] = [
  'running',
  'scheduled',
  'paused',
  'completed',
  'aborted',
];
type Params = Pick<URLSearchParams, 'get'>;

/** Values nobody offers (a hand-made link) count as no filter. */
export function readJobFilter(params: Params): JobFilter {
  const state = JOB_FILTER_STATES.find((known) => known === params.get('state'));
  const type = params.get('type')?.trim();
  return { ...(state && { state }), ...(type && { type }) };
}

/** Address with some of it changed; null removes. */
export function withJobFilter(
  params: Params,
  change: { state?: string | null; type?: string | null },
): string {
  const next = new URLSearchParams();
  for (const key of ['state', 'type'] as const) {
    const value = key in change ? change[key] : params.get(key);
    if (value) next.set(key, value);
  }
  return `/org/firmware/jobs${next.size > 0 ? `?${next}` : ''}`;
}
