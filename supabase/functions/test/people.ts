/** People as the auth server knows them, for tests of who becomes what. */
import { randomBytes } from 'node:crypto';
import type { TestApi } from './api.ts';

export interface Person {
  id: string;
  email: string;
  /** An access token. */
  token: string;
}

/** Somebody who just proved an address at the auth server: no profile, no membership. */
export async function newPerson(api: TestApi, email?: string): Promise<Person> {
  const address = email ?? `person-${randomBytes(4).toString('hex')}@example.com`;
  const id = await api.db.value<string>(
    `insert into auth.users (id, email, email_confirmed_at) values (gen_random_uuid(), $1, now()) returning id`,
    [address],
  );
  return { id, email: address, token: await api.tokenOf({ user: id }) };
}

/** The serial and code out of the claim link that registering gave. */
export async function registerForClaim(
  api: TestApi,
  serial: string,
  as: string,
): Promise<{ serial: string; code: string; secret: string }> {
  const { body } = await api.call('POST', '/devices/register', {
    as,
    body: { serial_no: serial, product_type: 'EC-CLIMATE-V1' },
  });
  const code = new URL(body.claim_url).searchParams.get('code')!;
  return { serial, code, secret: body.mqtt_password };
}
