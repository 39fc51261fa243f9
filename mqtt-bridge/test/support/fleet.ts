import { createHash, pbkdf2Sync, randomBytes } from 'node:crypto';
import pg from 'pg';

export interface TestDevice {
  serial: string;
  secret: string;
}

/** Runs one statement as whoever the URL names. */
export async function sql<R extends object>(url: string, text: string, values: unknown[] = []): Promise<R[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<R>(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** `$7$` hash as the API makes it: 12 ASCII characters of salt. */
function hashSecret(secret: string): { hash: string; salt: string } {
  const salt = randomBytes(9).toString('base64url');
  const key = pbkdf2Sync(secret, salt, 101, 64, 'sha512').toString('base64');
  return { hash: `$7$101$${Buffer.from(salt).toString('base64')}$${key}`, salt };
}

/** Registered climate nodes `${prefix}00001`… of one new org; `url` is the migrations' role. */
export async function createFleet(url: string, prefix: string, count: number): Promise<TestDevice[]> {
  const slug = `test-${randomBytes(6).toString('hex')}`;
  const [org] = await sql<{ id: string }>(
    url,
    'insert into public.orgs (name, slug) values ($1, $1) returning id',
    [slug],
  );
  const devices = Array.from({ length: count }, (_, i) => ({
    serial: `${prefix}${String(i + 1).padStart(5, '0')}`,
    secret: `ec_dev_${randomBytes(24).toString('base64url')}`,
  }));
  const rows = devices.map(({ serial, secret }) => {
    const { hash, salt } = hashSecret(secret);
    return { serial, hash, salt, sha: createHash('sha256').update(secret).digest('hex') };
  });
  await sql(
    url,
    `with item as (select * from json_to_recordset($1::json) as x (serial text, hash text, salt text, sha text)),
     device as (
       insert into public.devices (serial, product_type, maker_org_id, org_id, registered_by_kind, registered_by_id)
       select serial, 'EC-CLIMATE-V1', $2, $2, 'user', $2 from item returning id, serial
     )
     insert into public.device_credentials (device_id, serial, password_hash, salt, secret_sha256, issued_by_kind, issued_by_id)
     select d.id, d.serial, i.hash, i.salt, decode(i.sha, 'hex'), 'user', $2 from device d join item i using (serial)`,
    [JSON.stringify(rows), org?.id],
  );
  await sql(url, 'select private.start_tenure(d.id, false) from public.devices d where d.org_id = $1', [
    org?.id,
  ]);
  await sql(url, `select pg_notify('ec_credentials', $1)`, [devices[0]?.serial ?? '']);
  return devices;
}

export async function revoke(url: string, serial: string): Promise<void> {
  await sql(url, `update public.device_credentials set revoked_at = now() where serial = $1`, [serial]);
  await sql(url, `select pg_notify('ec_credentials', $1)`, [serial]);
}
