import type { Actor, Database, Session } from './database.ts';

export interface Message {
  id: string;
  topic: string;
  payload: string;
  retain: boolean;
  expires_at: Date | null;
}

/** What a bridge holds after asking once; nothing is acknowledged. */
export const claimMessages = (bridge: Session, worker = 'bridge', max = 500): Promise<Message[]> =>
  bridge.query<Message & Record<string, unknown>>('select * from ec.claim_mqtt_outbox($1, $2)', [
    worker,
    max,
  ]);

export const finishMessages = (bridge: Session, messages: Message[]): Promise<unknown> =>
  bridge.query('select ec.finish_mqtt_outbox($1)', [messages.map(({ id }) => id)]);

/** Everything that waits reaches the broker, which acknowledges it. */
export async function publish(bridge: Session): Promise<Message[]> {
  const messages = await claimMessages(bridge);
  await finishMessages(bridge, messages);
  return messages;
}

/** Publishes what waits and keeps only the kinds asked for: `cmd`, `shadow/document` … */
export async function received(bridge: Session, serial: string, kind: string): Promise<unknown[]> {
  const messages = await publish(bridge);
  return messages
    .filter(({ topic }) => topic === `devices/${serial}/${kind}`)
    .map(({ payload }) => JSON.parse(payload));
}

/** As if the bridge that claimed had died half a minute ago. */
export const loseBridge = (db: Session): Promise<unknown> =>
  db.query(`update ec.mqtt_outbox set claimed_until = clock_timestamp() where claimed_until is not null`);

export interface ShadowReply {
  serial: string;
  desired_version: number;
  desired: Record<string, unknown>;
  desired_times: Record<string, unknown>;
  reported: Record<string, unknown>;
  delta: Record<string, unknown>;
  changed: boolean;
  client_token?: string;
}

export const setDesired = (
  db: Database,
  actor: Actor,
  serial: string,
  patch: unknown,
  options: { ifMatch?: number; token?: string } = {},
): Promise<ShadowReply> =>
  db.as(actor, (session) =>
    session.value('select ec.set_shadow_desired($1, $2::jsonb, $3, $4)', [
      serial,
      JSON.stringify(patch),
      options.ifMatch ?? null,
      options.token ?? null,
    ]),
  );

/** The arrival clock of messages from devices, µs: never behind the database's, never the same twice. */
let arrival = 0;
export const nextArrival = (): number => (arrival = Math.max(arrival + 1, (Date.now() + 1) * 1000));

export const report = (db: Session, serial: string, document: unknown, door = 'mqtt'): Promise<unknown> =>
  db.query('select ec.record_reported($1::json)', [
    JSON.stringify([{ s: serial, d: document, r: nextArrival(), door }]),
  ]);

export const sayOnline = (db: Session, serial: string, online: boolean): Promise<unknown> =>
  db.query('select ec.record_status($1::json)', [JSON.stringify([{ s: serial, online, r: nextArrival() }])]);

export const telemetry = (
  db: Session,
  serial: string,
  values: Record<string, unknown>,
  door = 'mqtt',
): Promise<unknown> =>
  db.query('select ec.ingest_telemetry($1::json, $2)', [
    JSON.stringify([{ i: 0, s: serial, d: values, r: nextArrival(), t: null, q: null }]),
    door,
  ]);
