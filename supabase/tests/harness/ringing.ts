import type { Actor, Database, Session } from './database.ts';

export interface Rung {
  id: string;
  title: string;
  body: string;
  severity: string;
  times: number;
  read: boolean;
  created_at: string;
  first_at: string;
}

export interface Ring {
  kind?: string;
  severity?: string;
  title?: string;
  body?: string;
  link?: string | null;
  subject?: object;
  group?: string | null;
}

/** What a domain function does in the transaction of what happened; the id. */
export const ring = (db: Session, orgId: string, ring: Ring = {}): Promise<string> =>
  db.value('select private.notify_org($1, $2, $3, $4, $5, $6, $7, $8)', [
    orgId,
    ring.kind ?? 'test',
    ring.severity ?? 'info',
    ring.title ?? 'Something happened',
    ring.body ?? '',
    ring.link ?? null,
    ring.subject ?? {},
    ring.group ?? null,
  ]);

/** Newest first, as that reader sees them. */
export const heard = async (db: Database, actor: Actor, orgId: string, unread = false): Promise<Rung[]> =>
  db.as(actor, async (session) =>
    (
      await session.query<{ notification: Rung }>('select notification from ec.list_notifications($1, $2)', [
        orgId,
        unread,
      ])
    ).map(({ notification }) => notification),
  );

export const unread = (db: Database, actor: Actor, orgId: string): Promise<number> =>
  db.as(actor, (session) => session.value('select ec.count_unread($1)', [orgId]));

export const read = (db: Database, actor: Actor, id: string): Promise<Rung> =>
  db.as(actor, (session) => session.value('select ec.read_notification($1)', [id]));

export const readAll = (db: Database, actor: Actor, orgId: string): Promise<number> =>
  db.as(actor, (session) => session.value('select ec.read_notifications($1)', [orgId]));
