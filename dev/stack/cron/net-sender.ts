import pg from 'pg';
import { messageOf } from '../failure.ts';

interface Call {
  id: string;
  method: string;
  url: string;
  headers: Record<string, string> | null;
  body: Buffer | null;
  timeout_milliseconds: number;
}

const TAKE = `delete from net.http_request_queue where id in
  (select id from net.http_request_queue order by id limit 50 for update skip locked)
  returning id, method, url, headers, body, timeout_milliseconds`;
const FORGET = `delete from net._http_response where created < now() - interval '6 hours'`;

/** Sends what net.http_post() and its like queued, once their transaction committed; at most once, as pg_net. */
export async function startNetSender(adminUrl: string): Promise<{ stop(): Promise<void> }> {
  const client = new pg.Client({ connectionString: adminUrl, application_name: 'net sender' });
  client.on('error', () => {});
  await client.connect();
  const active = new Set<Promise<void>>();
  let draining = Promise.resolve();
  const drain = async (): Promise<void> => {
    for (;;) {
      const { rows } = await client.query<Call>(TAKE);
      for (const call of rows) {
        const sending = send(client, call).finally(() => active.delete(sending));
        active.add(sending);
      }
      if (rows.length === 0) return;
      if (active.size >= 100) await Promise.race(active);
    }
  };
  const wake = (): void => {
    draining = draining.then(drain).catch(() => {});
  };
  client.on('notification', wake);
  await client.query('listen net_requests');
  wake();
  // A notification that was missed costs at most this long.
  const poll = setInterval(wake, 5000);
  const forget = setInterval(() => void client.query(FORGET).catch(() => {}), 600_000);
  return {
    async stop() {
      clearInterval(poll);
      clearInterval(forget);
      await Promise.race([Promise.all(active), new Promise((resolve) => setTimeout(resolve, 1000))]);
      await client.end().catch(() => {});
    },
  };
}

async function send(client: pg.Client, call: Call): Promise<void> {
  let values: unknown[];
  try {
    const response = await fetch(call.url, {
      method: call.method,
      headers: call.headers ?? {},
      body: call.body === null ? null : new Uint8Array(call.body),
      signal: AbortSignal.timeout(call.timeout_milliseconds),
    });
    const headers = Object.fromEntries(response.headers);
    values = [
      call.id,
      response.status,
      headers['content-type'] ?? null,
      headers,
      await response.text(),
      false,
      null,
    ];
  } catch (error) {
    values = [call.id, null, null, null, null, (error as Error).name === 'TimeoutError', messageOf(error)];
  }
  await client
    .query(
      `insert into net._http_response (id, status_code, content_type, headers, content, timed_out, error_msg)
       values ($1, $2, $3, $4, $5, $6, $7)`,
      values,
    )
    .catch(() => {});
}
