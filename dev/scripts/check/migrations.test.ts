import { describe, expect, test } from 'vitest';
import { checkMigrations, LANDED, landedLine } from './migrations.ts';

const path = 'supabase/migrations/20261122000000_create_things.sql';
const lint = (text: string, others: { path: string; text: string }[] = []) => {
  const files = [{ path, text }, ...others];
  return checkMigrations(
    files,
    files.map((file) => file.path),
  ).map((problem) => `${problem.line ?? '-'}: ${problem.message}`);
};

describe('migrations lint', () => {
  test('a table without row level security is named with its line', () => {
    expect(lint('\ncreate table public.things (id int);')).toEqual([
      '2: table public.things has no row level security.',
    ]);
  });

  test('row level security may be enabled in a later migration', () => {
    const later = {
      path: 'supabase/migrations/20261122000001_secure_things.sql',
      text: 'alter table public.things enable row level security;',
    };
    expect(lint('create table public.things (id int);', [later])).toEqual([]);
  });

  test('partitions and tables made inside function bodies are not counted', () => {
    expect(lint('create table ec.t_1 partition of public.t for values in (1);')).toEqual([]);
    expect(lint('do $$ begin create table ec.x (id int); end $$;')).toEqual([]);
  });

  test('a function without its own search_path is refused, before or after the body', () => {
    expect(lint('create function ec.f() returns int language sql as $$ select 1; $$;')).toHaveLength(1);
    expect(lint(`create function ec.f() returns int set search_path = '' as $$ select 1; $$;`)).toEqual([]);
    expect(lint(`create function ec.f() returns int as $$ select 1; $$ set search_path to '';`)).toEqual([]);
  });

  test.each([
    'create table auth.extra (id int); alter table auth.extra enable row level security;',
    'alter table storage.objects add column x int;',
    'create trigger t after insert on auth.users execute function ec.f();',
    'create index i on realtime.messages (topic);',
    'alter table realtime.messages enable row level security;',
    'drop function auth.uid();',
  ])('DDL in a managed schema is refused: %s', (sql) => {
    expect(lint(sql)).toContainEqual(expect.stringContaining('managed schema'));
  });

  test.each([
    'create policy p on realtime.messages for select to authenticated using (true);',
    'create table public.p (id uuid references auth.users); alter table public.p enable row level security;',
    `create function ec.f() returns void set search_path = '' as $$ select realtime.send('{}', 'e', 't'); $$;`,
    '-- alter table auth.users add column x int;',
  ])('what hosted accepts passes: %s', (sql) => {
    expect(lint(sql)).toEqual([]);
  });

  test('a landed migration may not be edited, removed, or preceded', () => {
    const landed = { path, text: 'select 1;\n' };
    const manifest = { path: LANDED, text: `${landedLine(landed)}\n` };
    expect(lint('select 1;\n', [manifest])).toEqual([]);
    expect(lint('select 2;\n', [manifest])).toEqual(['-: a landed migration was edited.']);
    expect(checkMigrations([manifest], [])[0]?.message).toBe('a landed migration is gone.');
    const early = { path: 'supabase/migrations/20261121000000_before.sql', text: 'select 1;' };
    expect(lint('select 1;\n', [manifest, early])).toEqual([
      '-: sorts before 20261122000000_create_things.sql, which has landed.',
    ]);
  });

  test('names are ASCII with a time stamp of their own', () => {
    const odd = { path: 'supabase/migrations/20261122000000_café.sql', text: '' };
    expect(lint('', [odd])).toEqual(['-: not a migration name (ASCII, 14 digits, lower case).']);
    const twin = { path: 'supabase/migrations/20261122000000_other.sql', text: '' };
    expect(lint('', [twin])[0]).toMatch(/same time stamp/);
  });
});
