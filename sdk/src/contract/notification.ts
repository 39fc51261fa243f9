/** What the people who run an org should know without looking for it. */
import { z } from 'zod';
import { Id, Timestamp } from './ids.ts';
import { FlagParam, PageQuery } from './page.ts';

export const NOTIFICATION_SEVERITIES = ['info', 'warn', 'bad'] as const;
export const NotificationSeverity = z.enum(NOTIFICATION_SEVERITIES);
export type NotificationSeverity = z.infer<typeof NotificationSeverity>;

export const Notification = z
  .object({
    id: Id,
    org_id: Id,
    kind: z.string().describe('e.g. firmware_uploaded, ota_job_finished'),
    severity: NotificationSeverity,
    title: z.string(),
    body: z.string(),
    link: z.string().nullable().describe('Path in the web app'),
    subject: z.record(z.string(), z.unknown()).describe('What it is about, e.g. {device: serial}'),
    times: z.int().min(1).describe('How often the same came within a day'),
    first_at: Timestamp,
    created_at: Timestamp.describe('When it came, the last time'),
    read: z.boolean().describe('By this person or key'),
  })
  .meta({ id: 'Notification' });
export type Notification = z.infer<typeof Notification>;

export const NotificationQuery = PageQuery.extend({
  unread: FlagParam.default(false).describe('Only those; X-Total-Count says how many there are'),
});
export type NotificationQuery = z.infer<typeof NotificationQuery>;

/** Reply of read-all. */
export const NotificationsRead = z.object({ marked: z.int().min(0) }).meta({ id: 'NotificationsRead' });
export type NotificationsRead = z.infer<typeof NotificationsRead>;
