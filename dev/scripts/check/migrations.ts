import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { lineAt, type Problem, type SourceFile } from './problem.ts';
import { withoutBodies, withoutComments } from './sql-text.ts';

const MIGRATION = /^supabase\/migrations\/[^/]+$/;
const NAME = /^\d{14}_[a-z0-9_]+\.sql$/;
export const LANDED = 'dev/scripts/check/landed-migrations.sha256';

/** Rules a migration must keep before hosted Supabase, or a later reader, finds out. */
export function checkMigrations(files: SourceFile[], allPaths: string[]): Problem[] {
  const migrations = files.filter(({ path }) => MIGRATION.test(path) && path.endsWith('.sql'));
  return [
    ...names(allPaths.filter((path) => MIGRATION.test(path))),
    ...landed(migrations, files.find(({ path }) => path === LANDED)?.text ?? ''),
    ...migrations.flatMap(managedSchemas),
    ...migrations.flatMap(searchPaths),
    ...rowLevelSecurity(migrations),
  ];
}

/** One line of the manifest, in the form `sha256sum -c` reads from the repository root. */
export function landedLine({ path, text }: SourceFile): string {
  return `${createHash('sha256').update(text).digest('hex')}  ${path}`;
}

function names(paths: string[]): Problem[] {
  const seen = new Map<string, string>();
  return paths.flatMap((path) => {
    const name = basename(path);
    if (!NAME.test(name))
      return [
        {
          file: path,
          message: 'not a migration name (ASCII, 14 digits, lower case).',
          fix: 'name it YYYYMMDDhhmmss_verb_noun.sql',
        },
      ];
    const stamp = name.slice(0, 14);
    const twin = seen.get(stamp);
    seen.set(stamp, path);
    return twin
      ? [{ file: path, message: `has the same time stamp as ${twin}.`, fix: 'give it a later one' }]
      : [];
  });
}

function landed(migrations: SourceFile[], manifest: string): Problem[] {
  const lines = manifest.split('\n').filter((line) => line && !line.startsWith('#'));
  const listed = new Map(lines.map((line) => [line.slice(66), line] as const));
  const present = new Map(migrations.map((file) => [file.path, file] as const));
  const newest = [...listed.keys()].sort().at(-1) ?? '';

  const changed = [...listed].flatMap(([path, line]) => {
    const file = present.get(path);
    if (file && landedLine(file) === line) return [];
    return [
      {
        file: path,
        message: file ? 'a landed migration was edited.' : 'a landed migration is gone.',
        fix: `restore it (git checkout ${LANDED} ${path}) and write a new migration`,
      },
    ];
  });
  const early = migrations
    .filter(({ path }) => !listed.has(path) && path < newest)
    .map(({ path }) => ({
      file: path,
      message: `sorts before ${basename(newest)}, which has landed.`,
      fix: 'give it a later time stamp',
    }));
  return [...changed, ...early];
}

function managedSchemas({ path, text }: SourceFile): Problem[] {
  const sql = withoutBodies(withoutComments(text));
  const ddl =
    /\b(?:create|alter|drop)\s+(?:or\s+replace\s+)?(?:unique\s+)?(table|function|trigger|view|index|type|sequence|schema|procedure)\b[^;]*?\b(auth|storage|realtime)\b(?=\s*[.;])/gi;
  return [...sql.matchAll(ddl)].flatMap((match) => {
    const statement = match[0];
    // A foreign key to auth.users, or a body calling realtime.send, is not DDL in that schema.
    const target =
      /(?:\bon\s+|\b(?:table|function|view|type|sequence|schema|procedure|index)\s+(?:if\s+(?:not\s+)?exists\s+)?(?:only\s+)?)"?(auth|storage|realtime)"?\s*(?:[.;]|$)/i;
    if (!target.test(`${statement}.`) || /\breferences\b/i.test(statement)) return [];
    return [
      {
        file: path,
        line: lineAt(text, match.index),
        message: `changes the managed schema ${match[2]}; hosted Supabase refuses it.`,
        fix: 'only policies may be created there',
      },
    ];
  });
}

function searchPaths({ path, text }: SourceFile): Problem[] {
  const sql = withoutComments(text);
  return [...sql.matchAll(/\bcreate\s+(?:or\s+replace\s+)?(?:function|procedure)\s+([\w."]+)/gi)].flatMap(
    (match) => {
      // The settings stand between the name and the end of the statement, before or after the body.
      const rest = withoutBodies(sql.slice(match.index));
      const statement = rest.split(';', 1)[0]!;
      if (/\bset\s+search_path\s*(?:=|to)/i.test(statement)) return [];
      return [
        {
          file: path,
          line: lineAt(text, match.index),
          message: `function ${match[1]} takes its search_path from the caller.`,
          fix: "add: set search_path = ''",
        },
      ];
    },
  );
}

function rowLevelSecurity(migrations: SourceFile[]): Problem[] {
  const all = migrations.map(({ text }) => withoutComments(text)).join('\n');
  const secured = new Set(
    [...all.matchAll(/\balter\s+table\s+(?:only\s+)?([\w.]+)\s+enable\s+row\s+level\s+security/gi)].map(
      (match) => match[1]!.toLowerCase(),
    ),
  );
  return migrations.flatMap(({ path, text }) =>
    [
      ...withoutBodies(withoutComments(text)).matchAll(
        /\bcreate\s+(?:unlogged\s+)?table\s+(?:if\s+not\s+exists\s+)?([\w.]+)(?![\w.])(?!\s+partition\b)/gi,
      ),
    ].flatMap((match) => {
      const table = match[1]!.toLowerCase();
      if (secured.has(table)) return [];
      return [
        {
          file: path,
          line: lineAt(text, match.index),
          message: `table ${table} has no row level security.`,
          fix: `alter table ${table} enable row level security, then a policy for each who may read`,
        },
      ];
    }),
  );
}
