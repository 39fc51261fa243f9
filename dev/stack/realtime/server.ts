import pg from 'pg';
import { WebSocketServer } from 'ws';
import type { OnUpgrade } from '../listen.ts';
import { Access, type AccessOptions } from './access.ts';
import { Connection } from './connection.ts';
import { Topics, type Message } from './topics.ts';

export interface RealtimeOptions extends Omit<AccessOptions, 'pool'> {
  /** Postgres URL of the superuser. */
  adminUrl: string;
}

const FORGET = `delete from realtime.messages where inserted_at < now() - interval '1 hour'`;

/** Supabase Realtime's broadcast from the database: the Phoenix protocol on websockets the gateway hands over. */
export async function startRealtime(
  options: RealtimeOptions,
): Promise<{ onUpgrade: OnUpgrade; stop(): Promise<void> }> {
  const pool = new pg.Pool({ connectionString: options.adminUrl, max: 4, application_name: 'realtime' });
  pool.on('error', () => {});
  const access = new Access({ ...options, pool });
  const topics = new Topics();
  const listener = await listenForMessages(options.adminUrl, (message) => topics.deliver(message));
  const forget = setInterval(() => void pool.query(FORGET).catch(() => {}), 300_000);
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 256 * 1024 });
  const connections = new Set<Connection>();
  const onUpgrade: OnUpgrade = (request, socket, head) => {
    const query = new URL(request.url ?? '/', 'http://gateway').searchParams;
    const apiKey = query.get('apikey');
    if (!access.isApiKey(apiKey)) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (websocket) => {
      const serializer = query.get('vsn') === '1.0.0' ? '1.0.0' : '2.0.0';
      const connection = new Connection(websocket, serializer, apiKey, access, topics);
      connections.add(connection);
      websocket.once('close', () => connections.delete(connection));
    });
  };
  return {
    onUpgrade,
    async stop() {
      clearInterval(forget);
      for (const connection of connections) connection.close();
      sockets.close();
      await Promise.all([listener.end().catch(() => {}), pool.end().catch(() => {})]);
    },
  };
}

/** Calls back in commit order, also for messages too large for NOTIFY, which are read from their row. */
async function listenForMessages(adminUrl: string, deliver: (message: Message) => void): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: adminUrl, application_name: 'realtime listener' });
  client.on('error', () => {});
  await client.connect();
  let reading: Promise<void> | undefined;
  const handle = async (payload: string): Promise<void> => {
    const message = JSON.parse(payload) as Message & { id?: string };
    if (message.id === undefined) return deliver(message);
    const { rows } = await client.query<Message>(
      'select topic, event, private, payload from realtime.messages where id = $1',
      [message.id],
    );
    if (rows[0]) deliver(rows[0]);
  };
  client.on('notification', ({ payload = '' }) => {
    // The common case goes out at once; behind one that must be read, all wait their turn.
    if (!reading && !payload.startsWith('{"id"')) return void handle(payload);
    const mine = (reading ?? Promise.resolve())
      .then(() => handle(payload))
      .catch(() => {})
      .finally(() => {
        if (reading === mine) reading = undefined;
      });
    reading = mine;
  });
  await client.query('listen realtime_messages');
  return client;
}
