import type { BellDoors } from '#lib/state/bell.svelte.ts';
import { ec } from './browser.ts';

const PAGE = 20;

/** The notifications of one org for whoever is signed in. */
export const bellDoors = (orgId: string): BellDoors => ({
  async list(after) {
    const { items, next } = await ec.notifications
      .list(orgId, { limit: PAGE, ...(after === null ? {} : { after }) })
      .page();
    return { items, next };
  },
  async countUnread() {
    const { items, total } = await ec.notifications.list(orgId, { unread: true, limit: 1 }).page();
    return total ?? items.length;
  },
  markRead: (id) => ec.notifications.markRead(id),
  markAllRead: () => ec.notifications.markAllRead(orgId),
});
