import { randomBytes } from 'node:crypto';
import type { Actor, Database } from './database.ts';
import { register } from './register.ts';
import { sha256 } from './secrets.ts';

export interface Org {
  id: string;
  num: number;
  building: string;
  room: string;
  otherRoom: string;
  /** A device in `room`. */
  device: { id: string; num: number; serial: string };
}

/** Two orgs of one partner and a stranger's, with a person of every role. */
export interface World {
  partner: string;
  otherPartner: string;
  /** The org all people below belong to. */
  org: Org;
  /** Another org of the same partner. */
  sibling: Org;
  /** An org of another partner. */
  stranger: Org;
  admin: Actor;
  partnerUser: Actor;
  orgAdmin: Actor;
  operator: Actor;
  viewer: Actor;
  /** Has org.device. */
  customer: Actor;
  /** Lives in org.room. */
  tenant: Actor;
  /** Signed in, member of nothing. */
  outsider: Actor;
  /** org_admin of the stranger's org. */
  strangerAdmin: Actor;
  /** Of org, with every scope. */
  apiKey: Actor;
}

export async function seedWorld(db: Database): Promise<World> {
  const partner = await makePartner(db, 'north');
  const otherPartner = await makePartner(db, 'south');
  const org = await makeOrg(db, partner, 'acme');
  const sibling = await makeOrg(db, partner, 'harbour');
  const stranger = await makeOrg(db, otherPartner, 'elsewhere');
  const world: World = {
    partner,
    otherPartner,
    org,
    sibling,
    stranger,
    admin: await makeMember(db, 'admin', 'admin', {}),
    partnerUser: await makeMember(db, 'partner', 'partner', { partner }),
    orgAdmin: await makeMember(db, 'org', 'org_admin', { org: org.id }),
    operator: await makeMember(db, 'operator', 'operator', { org: org.id }),
    viewer: await makeMember(db, 'viewer', 'viewer', { org: org.id }),
    customer: await makeMember(db, 'customer', 'customer', { org: org.id }),
    tenant: await makeMember(db, 'tenant', 'tenant', { org: org.id, location: org.room }),
    outsider: await makeUser(db, 'outsider'),
    strangerAdmin: await makeMember(db, 'stranger', 'org_admin', { org: stranger.id }),
    apiKey: await makeApiKey(db, org.id, ['read', 'write', 'ota', 'provision']),
  };
  await giveToCustomer(db, org.device.id, world.customer);
  return world;
}

const makePartner = (db: Database, name: string): Promise<string> =>
  db.value('insert into public.partners (name, slug) values ($1, $1) returning id', [name]);

async function makeOrg(db: Database, partner: string, name: string): Promise<Org> {
  const [org] = await db.query<{ id: string; num: number }>(
    'insert into public.orgs (partner_id, name, slug) values ($1, $2, $2) returning id, num',
    [partner, name],
  );
  const place = (type: string, label: string, parent: string | null): Promise<string> =>
    db.value(
      'insert into public.locations (org_id, parent_id, type, name) values ($1, $2, $3, $4) returning id',
      [org!.id, parent, type, label],
    );
  const building = await place('building', 'Main', null);
  const room = await place('room', 'Lab', building);
  const otherRoom = await place('room', 'Store', building);
  const key = await makeApiKey(db, org!.id, ['provision', 'write']);
  const serial = `${name}-001`;
  const { device } = await db.as(key, (session) => register(session, serial));
  await db.as(key, (session) =>
    session.query('select ec.assign_device($1, $2)', [serial, { location_id: room }]),
  );
  const num = await db.value<number>('select num from public.devices where id = $1', [device.id]);
  return { id: org!.id, num: org!.num, building, room, otherRoom, device: { id: device.id, num, serial } };
}

export async function makeUser(db: Database, name: string): Promise<{ user: string }> {
  const user = await db.value<string>(
    `with account as (insert into auth.users (id, email) values (gen_random_uuid(), $1) returning id, email)
     insert into public.profiles (id, email) select id, email from account returning id`,
    [`${name}-${randomBytes(4).toString('hex')}@example.com`],
  );
  return { user };
}

export async function makeMember(
  db: Database,
  name: string,
  role: string,
  scope: { partner?: string; org?: string; location?: string },
): Promise<{ user: string }> {
  const actor = await makeUser(db, name);
  await db.query(
    `insert into public.memberships (user_id, role, partner_id, org_id, location_id) values ($1, $2, $3, $4, $5)`,
    [actor.user, role, scope.partner ?? null, scope.org ?? null, scope.location ?? null],
  );
  return actor;
}

export async function makeApiKey(db: Database, orgId: string, scopes: string[]): Promise<{ apiKey: string }> {
  const secret = randomBytes(16).toString('hex');
  const apiKey = await db.value<string>(
    `insert into public.api_keys (org_id, name, prefix, key_sha256, scopes) values ($1, 'test', 'ec_live_test', $2, $3)
     returning id`,
    [orgId, sha256(secret), scopes],
  );
  return { apiKey };
}

/** What claiming will do: the device becomes the customer's, in a tenure of its own. */
export async function giveToCustomer(db: Database, deviceId: string, customer: Actor): Promise<void> {
  if (customer === 'nobody' || !('user' in customer)) throw new Error('a customer is a user');
  await db.query('update public.devices set customer_id = $2 where id = $1', [deviceId, customer.user]);
  await db.query('select private.start_tenure($1, true)', [deviceId]);
}
