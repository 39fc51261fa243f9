/** The bell of an organisation: for the people who run it, and for keys that may read. */
import { Notification, NotificationQuery, NotificationsRead } from '@edgeconductor/sdk/contract';
import { z } from 'zod';
import { pageReply } from '../http/page-reply.ts';
import { route } from '../http/route.ts';
import { listNotifications, readNotification, readNotifications } from '../services/notifications.ts';
import { IdParams } from './params.ts';

const who = { roles: ['admin', 'org_admin', 'operator'], api_key: ['read'] } as const;
const tag = 'Notifications';

export const notificationRoutes = [
  route({
    method: 'get',
    path: '/orgs/{id}/notifications',
    who,
    tag,
    summary: 'What happened that somebody should know, newest first',
    params: IdParams,
    query: NotificationQuery,
    replies: { 200: z.array(Notification) },
    handle: async ({ db, params, query, request }) =>
      pageReply(await listNotifications(db, params.id, query), request.url),
  }),
  route({
    method: 'post',
    path: '/orgs/{id}/notifications/read-all',
    who,
    tag,
    summary: 'Mark all as read, for oneself alone',
    params: IdParams,
    replies: { 200: NotificationsRead },
    handle: ({ db, params }) => readNotifications(db, params.id),
  }),
  route({
    method: 'patch',
    path: '/notifications/{id}/read',
    who,
    tag,
    summary: 'Mark one as read, for oneself alone',
    params: IdParams,
    replies: { 200: Notification },
    handle: ({ db, params }) => readNotification(db, params.id),
  }),
];
