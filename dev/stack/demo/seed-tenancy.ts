import type pg from 'pg';
import { DEVICES, ORGS, PARTNER, PASSWORD, PEOPLE, ZONE, type OrgSlug, type Place } from './plan.ts';

/** Ids of what the demo stands on. */
export interface Tenancy {
  orgs: Record<OrgSlug, string>;
  /** Room name → location id, per org. */
  rooms: Record<OrgSlug, Map<string, string>>;
  /** E-mail → user id. */
  people: Map<string, string>;
}

export type CreateUser = (email: string, password: string, fullName: string) => Promise<string>;

/** Partner, orgs, rooms, people and their roles. Repeating it finds everything and changes nothing. */
export async function seedTenancy(db: pg.ClientBase, createUser: CreateUser): Promise<Tenancy> {
  const partner = await idOf(
    db,
    `insert into public.partners (name, slug, plan, contact_email) values ($1, $2, $3, 'partner@example.com')
     on conflict (slug) do update set slug = excluded.slug returning id`,
    [PARTNER.name, PARTNER.slug, PARTNER.plan],
  );
  const orgs = {} as Tenancy['orgs'];
  const rooms = {} as Tenancy['rooms'];
  for (const org of ORGS) {
    orgs[org.slug] = await idOf(
      db,
      `insert into public.orgs (partner_id, name, slug, plan, product, timezone)
       values ($1, $2, $3, $4, 'EC-CLIMATE-V1', $5)
       on conflict (slug) do update set slug = excluded.slug returning id`,
      [partner, org.name, org.slug, org.plan, ZONE],
    );
    rooms[org.slug] = new Map();
    await seedPlaces(db, orgs[org.slug], null, org.places, rooms[org.slug]);
  }
  const people = await seedPeople(db, createUser, partner, orgs, rooms);
  return { orgs, rooms, people };
}

async function seedPlaces(
  db: pg.ClientBase,
  org: string,
  parent: string | null,
  places: readonly Place[],
  rooms: Map<string, string>,
): Promise<void> {
  for (const { type, name, parts } of places) {
    const id = await idOf(
      db,
      `insert into public.locations (org_id, parent_id, type, name) values ($1, $2, $3, $4)
       on conflict (org_id, parent_id, type, lower(name)) do update set name = excluded.name returning id`,
      [org, parent, type, name],
    );
    if (type === 'room') rooms.set(name, id);
    if (parts) await seedPlaces(db, org, id, parts, rooms);
  }
}

async function seedPeople(
  db: pg.ClientBase,
  createUser: CreateUser,
  partner: string,
  orgs: Tenancy['orgs'],
  rooms: Tenancy['rooms'],
): Promise<Map<string, string>> {
  const people = await findPeople(db, createUser);
  for (const { email, name, role, org, room } of PEOPLE) {
    const id = people.get(email);
    await db.query(
      `insert into public.profiles (id, email, full_name) values ($1, $2, $3) on conflict (id) do nothing`,
      [id, email, name],
    );
    await db.query(
      `insert into public.memberships (user_id, role, partner_id, org_id, location_id)
       select $1::uuid, $2, $3::uuid, $4::uuid, $5::uuid
       where not exists (select from public.memberships m where m.user_id = $1::uuid and m.role = $2)`,
      [
        id,
        role,
        role === 'partner' ? partner : null,
        org ? orgs[org] : null,
        org && room ? rooms[org].get(room) : null,
      ],
    );
  }
  return people;
}

/** E-mail → user id. Somebody who is there already keeps the password they may have set. */
async function findPeople(db: pg.ClientBase, createUser: CreateUser): Promise<Map<string, string>> {
  const { rows } = await db.query<{ id: string; email: string }>(
    `select id, email from auth.users where email = any ($1)`,
    [PEOPLE.map(({ email }) => email)],
  );
  const people = new Map(rows.map(({ id, email }) => [email, id]));
  const missing = PEOPLE.filter(({ email }) => !people.has(email));
  await Promise.all(
    missing.map(async ({ email, name }) => people.set(email, await createUser(email, PASSWORD, name))),
  );
  return people;
}

/** Names, tags and customers, which registering does not carry. Only what the seeding itself left open. */
export async function describeDevices(db: pg.ClientBase, { people }: Tenancy): Promise<void> {
  for (const { serial, name, tags, customer } of DEVICES) {
    await db.query(
      `update public.devices set name = coalesce(name, $2), tags = case when tags = '{}' then $3 else tags end
       where serial = $1`,
      [serial, name, tags ?? []],
    );
    if (!customer) continue;
    const given = await db.query<{ id: string }>(
      `update public.devices set customer_id = $2 where serial = $1 and customer_id is null returning id`,
      [serial, people.get(customer)],
    );
    // A customer is part of a tenure: readings from before stay with whoever had the device then.
    if (given.rows[0]) await db.query(`select private.start_tenure($1, false)`, [given.rows[0].id]);
  }
}

async function idOf(db: pg.ClientBase, sql: string, values: unknown[]): Promise<string> {
  const { rows } = await db.query<{ id: string }>(sql, values);
  if (!rows[0]) throw new Error('the demo could not be seeded: a row was neither made nor found');
  return rows[0].id;
}
