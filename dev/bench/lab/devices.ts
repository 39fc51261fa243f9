import { createHash } from 'node:crypto';
import { hashPassword } from '../../../mqtt-bridge/src/broker-agent/files.ts';
import type { LabDatabase } from './database.ts';

type Db = Pick<LabDatabase, 'query'>;

/** A registered device of the bench and the secret it authenticates with. */
export interface LabDevice {
  serial: string;
  secret: string;
}

const serialOf = (index: number): string => `EC-BENCH-${String(index).padStart(5, '0')}`;
const secretOf = (serial: string): string => `ec_dev_${createHash('sha256').update(serial).digest('hex')}`;

/**
 * Makes sure that many devices of one org exist, each with a credential both brokers and the HTTPS door
 * accept. Straight into the tables: registering 10,000 devices is not what is measured.
 */
export async function labDevices(db: Db, count: number): Promise<LabDevice[]> {
  const devices = Array.from({ length: count }, (_, i) => ({
    serial: serialOf(i),
    secret: secretOf(serialOf(i)),
  }));
  await db.query(
    `insert into public.orgs (name, slug, plan) values ('Bench', 'bench', 'enterprise') on conflict (slug) do nothing`,
  );
  const { rows } = await db.query<{ serial: string }>(
    `select serial from public.devices where serial like 'EC-BENCH-%'`,
  );
  const known = new Set(rows.map(({ serial }) => serial));
  const missing = devices.filter(({ serial }) => !known.has(serial));
  if (missing.length > 0) await insertDevices(db, missing);
  return devices;
}

async function insertDevices(db: Db, devices: LabDevice[]): Promise<void> {
  const hashes = devices.map(({ secret }) => hashPassword(secret));
  await db.query(
    `with made as (
       insert into public.devices (serial, product_type, maker_org_id, org_id, registered_by_kind, registered_by_id, lifecycle, activated_at)
       select serial, 'EC-CLIMATE-V1', o.id, o.id, 'user', o.id, 'active', now()
       from unnest($1::text[]) serial, public.orgs o where o.slug = 'bench'
       returning id, serial
     )
     insert into public.device_credentials
       (device_id, serial, password_hash, salt, secret_sha256, issued_by_kind, issued_by_id, first_used_at)
     select made.id, made.serial, c.hash, 'benchbenchbe', decode(c.sha256, 'hex'), 'user', made.id, now()
     from made join unnest($1::text[], $2::text[], $3::text[]) c (serial, hash, sha256) on c.serial = made.serial`,
    [
      devices.map(({ serial }) => serial),
      hashes,
      devices.map(({ secret }) => createHash('sha256').update(secret).digest('hex')),
    ],
  );
  await db.query(
    `select private.start_tenure(id, false) from public.devices where serial = any ($1::text[]) and tenure_id is null`,
    [devices.map(({ serial }) => serial)],
  );
  // They have been in the field for a while: batches with device time belong to this tenure.
  await db.query(
    `with aged as (
       update public.device_tenures t set started_at = now() - interval '30 days'
       from public.devices d where d.serial = any ($1::text[]) and t.id = d.tenure_id returning t.device_num
     )
     update public.device_state s set tenure_started_at = now() - interval '30 days' from aged where s.device_num = aged.device_num`,
    [devices.map(({ serial }) => serial)],
  );
}

/**
 * Empties what earlier runs stored and gives every device a past: 29 readings behind it and a reported shadow,
 * as a fleet has that runs for longer than two minutes. Every run starts from this same state.
 */
export async function freshState(db: Db): Promise<void> {
  await db.query(
    `truncate public.telemetry, public.rollups_1m, public.rollups_15m, public.rollups_1h, public.rollups_1d,
       public.deviations, public.dead_letters, ec.ingest_log`,
  );
  await db.query(
    `update public.device_state set
       reported = '{"temp":24.3,"hum":58,"co2":847,"relay":false,"bat":4.05,"signal":-61,"uptime":0,"heap":186432}',
       reported_at = now() - interval '1 day', older = '{}', active = true, connected = true,
       last_seen = now() - interval '10 seconds', last_telemetry_at = now() - interval '10 seconds', last_door = 'mqtt',
       w_temp = array_fill(24.3::float8, array[29]), s_temp = 24.3 * 29, w_hum = array_fill(58::float8, array[29]), s_hum = 58 * 29,
       w_co2 = array_fill(847::float8, array[29]), s_co2 = 847 * 29, w_bat = array_fill(4.05::float8, array[29]), s_bat = 4.05 * 29
     where serial like 'EC-BENCH-%'`,
  );
  await db.query('vacuum full analyze public.device_state');
  await db.query(
    `do $$ begin perform ec.ensure_partitions(now()); exception when undefined_function then null; end $$`,
  );
  await db.query('checkpoint');
}
