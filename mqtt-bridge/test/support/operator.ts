import pg from 'pg';
import { onTestFinished } from 'vitest';
import type { World } from './world.ts';

/** Somebody who controls the fleet of a test: an API key of its org, speaking SQL as the API does. */
export interface Operator {
  setDesired(serial: string, patch: object): Promise<{ desired_version: number; delta: object }>;
  send(serial: string, type: string, payload?: unknown, expiresS?: number): Promise<string>;
  revoke(credentialId: string): Promise<void>;
  /** Makes an update job for all climate nodes of the fleet; resolves with its id. */
  update(firmwareId: string, input: object): Promise<string>;
  /** State and reply of a command. */
  command(id: string): Promise<{ state: string; result: unknown; sends: number }>;
}

export async function operatorOf(world: World): Promise<Operator> {
  const [key] = await world.sql<{ id: string }>(
    `insert into public.api_keys (org_id, name, prefix, key_sha256, scopes)
     select d.org_id, 'test', 'ec_live_test', decode(md5(random()::text) || md5(random()::text), 'hex'), '{read,write,ota,provision}'
     from public.devices d where d.serial = $1 returning id`,
    [world.fleet[0]?.serial],
  );
  const client = new pg.Client({ connectionString: world.database.url('postgres') });
  await client.connect();
  onTestFinished(() => client.end().catch(() => {}));
  const claims = JSON.stringify({ role: 'authenticated', ec_kind: 'api_key', ec_id: key?.id });
  await client.query(`select set_config('request.jwt.claims', $1, false)`, [claims]);
  await client.query('set role authenticated');
  const call = async <T>(text: string, values: unknown[]): Promise<T> =>
    (await client.query<{ value: T }>(`select ${text} as value`, values)).rows[0]?.value as T;
  return {
    setDesired: (serial, patch) => call('ec.set_shadow_desired($1, $2)', [serial, JSON.stringify(patch)]),
    send: (serial, type, payload = null, expiresS = 3600) =>
      call(`ec.send_command($1, $2, $3, $4) ->> 'id'`, [serial, type, JSON.stringify(payload), expiresS]),
    update: async (firmware_id, input) => {
      const target = { product_type: 'EC-CLIMATE-V1' };
      const [org] = await world.sql<{ id: string }>(
        'select org_id as id from public.devices where serial = $1',
        [world.fleet[0]?.serial],
      );
      return call(`ec.create_ota_job($1, $2) ->> 'id'`, [
        org?.id,
        JSON.stringify({ firmware_id, target, ...input }),
      ]);
    },
    revoke: (credentialId) => call('ec.revoke_credential($1)', [credentialId]),
    async command(id) {
      const [row] = await world.sql<{ state: string; result: unknown; sends: number }>(
        'select state, result, sends from public.device_commands where id = $1',
        [id],
      );
      return row as { state: string; result: unknown; sends: number };
    },
  };
}
