import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimsOf, openDatabase, type Actor, type Database, type Session } from '../harness/database.ts';
import { CALLERS, PLACES, TABLES } from './expectations.ts';
import { seedPlaces, type Places } from './places.ts';

let db: Database;
let places: Places;
let request: Session;
beforeAll(async () => {
  db = await openDatabase();
  places = await seedPlaces(db);
  // What PostgREST signs in as, so that the roles of tokens and of no token can both be taken.
  request = await db.connect('authenticator');
});
afterAll(() => db.drop());

/** SQLSTATE of each statement as that caller; '' for one that went through. Leaves nothing behind. */
async function attempt(role: string, actor: Actor, statements: string[]): Promise<string[]> {
  await request.query('begin');
  try {
    await request.query(`set local role ${role}`);
    await request.query(`select set_config('request.jwt.claims', $1, true)`, [
      JSON.stringify(claimsOf(actor)),
    ]);
    const states: string[] = [];
    for (const statement of statements) {
      await request.query('savepoint before');
      states.push(
        await request.query(statement).then(
          () => '',
          (error: { code: string }) => error.code,
        ),
      );
      await request.query('rollback to before');
    }
    return states;
  } finally {
    await request.query('rollback');
  }
}

/** Every verb at every place's rows: the row that is meant is named, so that a policy would have to decide. */
function writes(table: string): string[] {
  const { key } = TABLES[table]!;
  const rows = PLACES.map((place) => {
    const mine = [...places.ownerOf].filter(([, owner]) => owner === place).map(([id]) => String(id));
    return `where ${key}::text in (${mine.map((id) => `'${id}'`).join(', ')})`;
  });
  return [
    `insert into public.${table} default values`,
    ...rows.flatMap((where) => [
      `update public.${table} set ${key} = ${key} ${where}`,
      `delete from public.${table} ${where}`,
    ]),
    `truncate public.${table}`,
    `merge into public.${table} t using (select 1) x on false when not matched then insert default values`,
  ];
}

const REFUSED = '42501';

describe.each(CALLERS)('%s', (caller) => {
  test('inserts, updates and deletes nothing in any table, of any place', async () => {
    for (const table of Object.keys(TABLES)) {
      const states = await attempt('authenticated', places.actors[caller], writes(table));
      expect(new Set(states), table).toEqual(new Set([REFUSED]));
    }
  });
});

test('without a token nothing is read or written', async () => {
  for (const table of Object.keys(TABLES)) {
    const states = await attempt('anon', 'nobody', [`select from public.${table}`, ...writes(table)]);
    expect(new Set(states), table).toEqual(new Set([REFUSED]));
  }
});

test('tables of our inner schemas are out of everybody’s reach', async () => {
  const tables = await db.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c
     where relnamespace in ('ec'::regnamespace, 'private'::regnamespace) and relkind in ('r', 'p', 'v', 'm', 'f')`,
  );
  expect(tables.length).toBeGreaterThan(5);
  const statements = tables.map(({ name }) => `select from ${name}`);
  for (const role of ['anon', 'authenticated'])
    expect(new Set(await attempt(role, places.actors.admin, statements))).toEqual(new Set([REFUSED]));
});
