import type { Notification } from '@edgeconductor/sdk';

const SEVERITIES = ['info', 'warn', 'bad'] as const;

/** A `notification` event as the row it tells of; null for what makes no sense. Missing trimmings are left empty. */
export function readNotification(payload: unknown): Notification | null {
  if (typeof payload !== 'object' || payload === null) return null;
  const { id, org_id, kind, title, body, link, subject, times, created_at, first_at, severity } =
    payload as Record<string, unknown>;
  if (typeof id !== 'string' || typeof title !== 'string' || typeof created_at !== 'string') return null;
  return {
    id,
    org_id: typeof org_id === 'string' ? org_id : '',
    kind: typeof kind === 'string' ? kind : '',
    severity: SEVERITIES.find((known) => known === severity) ?? 'info',
    title,
    body: typeof body === 'string' ? body : '',
    link: typeof link === 'string' ? link : null,
    subject: typeof subject === 'object' && subject !== null ? (subject as Record<string, unknown>) : {},
    times: typeof times === 'number' && times >= 1 ? times : 1,
    first_at: typeof first_at === 'string' ? first_at : created_at,
    created_at,
    read: false,
  };
}
