import type { Actor, Database, Session } from './database.ts';
import { nextArrival } from './wire.ts';

export interface Command {
  id: string;
  serial: string;
  type: string;
  payload: unknown;
  state: 'queued' | 'sent' | 'acknowledged' | 'failed' | 'expired';
  created_by: string | null;
  expires_at: string;
  sent_at: string | null;
  sent_door: string | null;
  acknowledged_at: string | null;
  result: unknown;
  reason: string | null;
}

export const send = (
  db: Database,
  actor: Actor,
  serial: string,
  type: string,
  payload: unknown = null,
  expiresS = 3600,
): Promise<Command> =>
  db.as(actor, (session) =>
    session.value('select ec.send_command($1, $2, $3::jsonb, $4)', [
      serial,
      type,
      JSON.stringify(payload),
      expiresS,
    ]),
  );

export const commandOf = async (db: Session, id: string): Promise<Command> =>
  (
    await db.query<Command & Record<string, unknown>>('select * from public.device_commands where id = $1', [
      id,
    ])
  )[0]!;

/** What the bridge reads on cmd/ack. */
export const acknowledge = (
  bridge: Session,
  serial: string,
  ...acks: { id: string; ok: boolean; result?: unknown }[]
): Promise<number> =>
  bridge.value('select ec.record_command_acks($1::json)', [
    JSON.stringify(acks.map((ack) => ({ s: serial, ...ack, r: nextArrival() }))),
  ]);

/** As if everything about commands had happened so long ago. */
export const age = (db: Session, seconds: number): Promise<unknown> =>
  db.query(
    `update public.device_commands set sent_at = sent_at - make_interval(secs => $1), expires_at = expires_at - make_interval(secs => $1)`,
    [seconds],
  );

export const expire = (db: Session): Promise<number> =>
  db.value('select ec.expire_commands(clock_timestamp())');
