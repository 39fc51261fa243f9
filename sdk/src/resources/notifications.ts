import type { Notification, NotificationsRead } from '../contract/notification.ts';
import { list } from '../pagination.ts';
import type { List } from '../pagination.ts';
import { path } from '../request.ts';
import type { RequestOptions, Transport } from '../request.ts';

export interface NotificationFilter {
  /** Only unread ones; `(await ….page()).total` is then how many there are. */
  unread?: boolean | undefined;
  limit?: number | undefined;
  after?: string | undefined;
}

/** What happened that somebody should know. Reading is each reader's own: a person's, or this key's. */
export class Notifications {
  readonly #transport: Transport;
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Newest first. */
  list(orgId: string, filter: NotificationFilter = {}, options?: RequestOptions): List<Notification> {
    return list(this.#transport, path`/orgs/${orgId}/notifications`, { ...filter }, options);
  }

  async markRead(id: string, options?: RequestOptions): Promise<Notification> {
    const input = { method: 'PATCH', path: path`/notifications/${id}/read`, options } as const;
    return (await this.#transport.request<Notification>(input)).data;
  }

  /** Says how many were unread. */
  async markAllRead(orgId: string, options?: RequestOptions): Promise<NotificationsRead> {
    const input = { method: 'POST', path: path`/orgs/${orgId}/notifications/read-all`, options } as const;
    return (await this.#transport.request<NotificationsRead>(input)).data;
  }
}
