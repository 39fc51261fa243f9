import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, type Actor, type Database } from '../harness/database.ts';
import { makeApiKey, makeMember, seedWorld, type World } from '../harness/world.ts';

const PLACES = ['org', 'sibling', 'stranger'] as const;
type Place = (typeof PLACES)[number];

const READERS = [
  ...(['admin', 'partnerUser', 'orgAdmin', 'operator', 'viewer', 'customer', 'tenant', 'outsider'] as const),
  ...(['strangerAdmin', 'apiKey', 'writeOnlyKey', 'device', 'nobody'] as const),
];
type Reader = (typeof READERS)[number];

const STAFF: Reader[] = ['admin', 'partnerUser', 'orgAdmin', 'operator', 'viewer', 'apiKey'];
const MANAGERS: Reader[] = ['admin', 'partnerUser', 'orgAdmin'];
const EVERYBODY: Reader[] = [...STAFF, 'customer', 'tenant'];

/** Per table: the column that tells whose a row is, and who of `org`'s people reads its rows. */
const TABLES: Record<string, { key: string; readers: Reader[] }> = {
  partners: { key: 'id', readers: ['admin', 'partnerUser'] },
  orgs: { key: 'id', readers: EVERYBODY },
  locations: { key: 'org_id', readers: [...STAFF, 'tenant'] },
  devices: { key: 'org_id', readers: EVERYBODY },
  device_tenures: { key: 'org_id', readers: EVERYBODY },
  device_credentials: { key: 'device_id', readers: STAFF },
  claim_codes: { key: 'device_id', readers: STAFF },
  serial_prefixes: { key: 'maker_org_id', readers: STAFF },
  api_keys: { key: 'org_id', readers: MANAGERS },
  provisioning_keys: { key: 'org_id', readers: MANAGERS },
  invitations: { key: 'org_id', readers: MANAGERS },
  room_codes: { key: 'org_id', readers: MANAGERS },
  // The same for everybody: no row of it is anybody's.
  plan_limits: { key: 'plan', readers: [] },
  // Everybody also sees their own rows of the next two.
  memberships: { key: 'user_id', readers: STAFF },
  profiles: { key: 'id', readers: STAFF },
  product_types: { key: 'maker_org_id', readers: STAFF },
  metric_definitions: { key: 'product_type', readers: STAFF },
  telemetry: { key: 'org_num', readers: EVERYBODY },
  rollups_1m: { key: 'org_num', readers: EVERYBODY },
  rollups_5m: { key: 'org_num', readers: EVERYBODY },
  rollups_15m: { key: 'org_num', readers: EVERYBODY },
  rollups_1h: { key: 'org_num', readers: EVERYBODY },
  rollups_1d: { key: 'org_num', readers: EVERYBODY },
  device_state: { key: 'org_num', readers: EVERYBODY },
  deviations: { key: 'org_num', readers: STAFF },
  dead_letters: { key: 'org_id', readers: STAFF },
  audit_log: { key: 'org_id', readers: STAFF },
};

let db: Database;
let world: World;
let writeOnlyKey: Actor;
/** Everything that identifies a place: ids of its org, device, people, product; the org's number. */
const placeOf = new Map<unknown, Place>();

beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
  writeOnlyKey = await makeApiKey(db, world.org.id, ['write']);
  for (const place of PLACES) await fill(place);
  placeOf.set(world.partner, 'org').set(world.otherPartner, 'stranger');
});
afterAll(() => db.drop());

/** A row in every table, for the place's org or device. */
async function fill(place: Place): Promise<void> {
  const { id, num, device, room } = world[place];
  const type = `type-${place}`;
  const { user } = await makeMember(db, place, 'viewer', { org: id });
  for (const key of [id, num, device.id, type, user]) placeOf.set(key, place);

  const tenure = await db.value<number>('select tenure_id from public.devices where id = $1', [device.id]);
  const row = [device.num, '2026-11-20T10:00:00Z', tenure, num];
  await db.query(
    `insert into public.telemetry (device_num, ts, tenure_id, org_num, data) values ($1, $2, $3, $4, '{}')`,
    row,
  );
  for (const table of ['rollups_1m', 'rollups_5m', 'rollups_15m', 'rollups_1h', 'rollups_1d'])
    await db.query(
      `insert into public.${table} (device_num, bucket, tenure_id, org_num, keys, counts, mins, maxs, sums) values ($1, $2, $3, $4, '{}', '{}', '{}', '{}', '{}')`,
      row,
    );
  await db.query(
    `insert into public.deviations (device_num, ts, tenure_id, org_num, metric, value, mean, pct)
     values ($1, $2, $3, $4, 'temp', 2, 1, 100)`,
    row,
  );
  await db.query(`insert into public.dead_letters (org_id, door, reason) values ($1, 'mqtt', 'not_json')`, [
    id,
  ]);
  await db.query(`insert into public.serial_prefixes values ($1, $2)`, [`${place}-`, id]);
  await db.query(`insert into public.product_types (key, name, maker_org_id) values ($1, 'x', $2)`, [
    type,
    id,
  ]);
  await db.query(
    `insert into public.metric_definitions (product_type, key, label) values ($1, 'temp', 'T')`,
    [type],
  );
  await db.query(
    `insert into public.provisioning_keys (org_id, product_type, name, prefix, key_sha256)
     values ($1, $2, 'line', 'ec_prov_test', sha256($3))`,
    [id, type, Buffer.from(type)],
  );
  await db.query(
    `insert into public.invitations (org_id, role, email, token_sha256) values ($1, 'viewer', 'new@example.com', sha256($2))`,
    [id, Buffer.from(type)],
  );
  await db.query(
    `insert into public.room_codes (org_id, location_id, version, code_sha256) values ($1, $2, 1, sha256($3))`,
    [id, room, Buffer.from(type)],
  );
}

function actorOf(reader: Reader): Actor {
  if (reader === 'nobody') return 'nobody';
  if (reader === 'device') return { device: world.org.device.id };
  return reader === 'writeOnlyKey' ? writeOnlyKey : world[reader];
}

function placesFor(reader: Reader, table: string): Place[] {
  const { readers } = TABLES[table]!;
  if (reader === 'strangerAdmin') return readers.includes('orgAdmin') ? ['stranger'] : [];
  if (!readers.includes(reader)) return [];
  // The sibling has the same partner, so there are two rows of partners.
  const sibling: Place[] = table === 'partners' ? [] : ['sibling'];
  if (reader === 'admin') return ['org', ...sibling, 'stranger'];
  return reader === 'partnerUser' ? ['org', ...sibling] : ['org'];
}

test('every table of the exposed schema stands in this matrix', async () => {
  const tables = await db.query<{ name: string }>(
    `select relname as name from pg_class
     where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm') order by 1`,
  );
  expect(tables.map(({ name }) => name)).toEqual(Object.keys(TABLES).sort());
});

describe.each(Object.keys(TABLES))('%s', (table) => {
  test.each(READERS)('%s reads the rows of exactly its own places', async (reader) => {
    const { key } = TABLES[table]!;
    const rows = await db.as(actorOf(reader), (session) =>
      session.query<{ key: unknown }>(`select distinct ${key} as key from public.${table}`),
    );
    const seen = new Set(rows.map((row) => placeOf.get(row.key)).filter((place) => place !== undefined));
    expect([...seen].sort()).toEqual(placesFor(reader, table));
  });
});
