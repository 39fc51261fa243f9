import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../harness/database.ts';
import { CALLERS, PLACES, placesFor, TABLES, type Place } from './expectations.ts';
import { seedPlaces, type Places } from './places.ts';

let db: Database;
let places: Places;
/** Places that have a row in the table at all. */
const filled = new Map<string, Place[]>();

const sorted = (found: Iterable<Place | undefined>): Place[] => {
  const set = new Set(found);
  return PLACES.filter((place) => set.has(place));
};

beforeAll(async () => {
  db = await openDatabase();
  places = await seedPlaces(db);
  const owner = await db.connect('supabase_admin');
  for (const [table, { key }] of Object.entries(TABLES)) {
    const rows = await owner.query<{ key: unknown }>(`select distinct ${key} as key from public.${table}`);
    filled.set(table, sorted(rows.map((row) => places.ownerOf.get(row.key))));
  }
});
afterAll(() => db.drop());

test('every table and view of the exposed schema has an expectation', async () => {
  const tables = await db.query<{ name: string }>(
    `select relname as name from pg_class
     where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f') order by 1`,
  );
  expect(tables.map(({ name }) => name)).toEqual(Object.keys(TABLES).sort());
});

test('every table that belongs to somebody holds rows of an own, a sibling’s and a stranger’s place', () => {
  for (const [table, { readers }] of Object.entries(TABLES)) {
    const least: Place[] = table === 'partners' ? ['org', 'stranger'] : ['org', 'sibling', 'stranger'];
    if (readers.length > 0) expect(filled.get(table), table).toEqual(expect.arrayContaining(least));
  }
});

describe.each(Object.keys(TABLES))('%s', (table) => {
  test.each(CALLERS)('%s reads the rows of exactly its own places', async (caller) => {
    const { key, readers } = TABLES[table]!;
    const rows = await db.as(places.actors[caller], (session) =>
      session.query<{ key: unknown }>(`select distinct ${key} as key from public.${table}`),
    );
    const wanted = placesFor(caller, readers).filter((place) => filled.get(table)!.includes(place));
    expect(sorted(rows.map((row) => places.ownerOf.get(row.key)))).toEqual(wanted);
  });
});
