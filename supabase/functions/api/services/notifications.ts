/** What an org's bell rang for, as one reader sees it. */
import type { Notification, NotificationQuery, NotificationsRead } from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import { cutPage, decodeCursor } from './page.ts';
import type { Page } from './page.ts';

/** Newest first. Of the unread ones it also says how many there are. */
export async function listNotifications(
  db: Db,
  orgId: string,
  { unread, limit, after }: NotificationQuery,
): Promise<Page<Notification>> {
  const [at, id] = after === undefined ? [null, null] : decodeCursor(after, 2);
  const rows = await db<{ notification: Notification; cursor_at: string }[]>`
    select notification, cursor_at from ec.list_notifications(
      ${orgId}::uuid, ${unread}, ${limit + 1}::int, ${at as string | null}::text::timestamptz, ${id as string | null}::uuid)`;
  const page = cutPage(rows, limit, (row) => [row.cursor_at, row.notification.id]);
  return {
    items: page.items.map((row) => row.notification),
    next: page.next,
    ...(unread ? { total: await countUnread(db, orgId) } : {}),
  };
}

/** For the caller alone; again and again changes nothing. */
export async function readNotification(db: Db, id: string): Promise<Notification> {
  const [row] = await db<{ notification: Notification }[]>`
    select ec.read_notification(${id}::uuid) as notification`;
  return (row as { notification: Notification }).notification;
}

/** Everything of the org that the caller has not read. */
export async function readNotifications(db: Db, orgId: string): Promise<NotificationsRead> {
  const [row] = await db<{ marked: number }[]>`select ec.read_notifications(${orgId}::uuid) as marked`;
  return { marked: (row as { marked: number }).marked };
}

async function countUnread(db: Db, orgId: string): Promise<number> {
  const [row] = await db<{ unread: number }[]>`select ec.count_unread(${orgId}::uuid) as unread`;
  return (row as { unread: number }).unread;
}
