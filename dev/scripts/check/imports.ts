import { posix } from 'node:path';
import { areas, doors, type Area } from './import-rules.ts';
import { lineAt, type Problem, type SourceFile } from './problem.ts';
import { readImports, type Import } from './read-imports.ts';

const CODE = /\.(ts|mjs|js|svelte)$/;
const TEST = /\.test\.ts$|(^|\/)tests?\//;
const NEEDS_EXTENSION = /^(sdk\/src|supabase\/functions|mqtt-bridge\/src|cli\/src)\//;

/** The arrows of architecture's "Who may import whom" and the single doors to mqtt, pg, supabase-js. */
export function checkImports(files: SourceFile[]): Problem[] {
  const declared = declaredPackages(files);
  const denoImports = new Map(
    files
      .filter(({ path }) => path.endsWith('deno.json'))
      .map(({ path, text }) => [posix.dirname(path), importMap(text)] as const),
  );
  return files
    .filter(({ path }) => CODE.test(path) && !TEST.test(path))
    .flatMap((file) => {
      const area = areas.find((candidate) => candidate.files.test(file.path));
      if (!area) return [];
      return [
        ...readImports(file).flatMap((found) => [
          ...judge(file.path, area, found, denoImports),
          ...undeclared(file.path, found, declared),
        ]),
        ...sqlInRoutes(file),
        ...denoOutsideDoor(file),
      ];
    });
}

function judge(
  path: string,
  area: Area,
  found: Import,
  denoImports: Map<string, Record<string, string>>,
): Problem[] {
  const { specifier, line } = found;
  const problem = (message: string, fix: string): Problem[] => [{ file: path, line, message, fix }];

  if (specifier.startsWith('.')) {
    const target = posix.normalize(posix.join(posix.dirname(path), specifier));
    if (NEEDS_EXTENSION.test(path) && !/\.\w+$/.test(target))
      return problem(`"${specifier}" has no extension.`, 'write the .ts');
    if (!reaches(area, path, target)) return problem(`${area.name} may not import ${target}.`, area.fix);
    if (/^supabase\/functions\/[^/]+\/routes\//.test(path) && /_shared\/(admin-)?db\.ts$/.test(target))
      return found.typeOnly ? [] : problem('a route reaches the database itself.', 'call a service');
    return [];
  }
  if (specifier.startsWith('#') || specifier.startsWith('$')) return [];
  if (/^(jsr|https?|data):/.test(specifier))
    return problem(`"${specifier}" is not from npm.`, 'use the npm package');

  const bare = specifier.replace(/^npm:/, '').replace(/(?<=.)@[^/]*$/, '');
  if (!area.packages.test(bare)) return problem(`${area.name} may not import "${specifier}".`, area.fix);
  for (const door of doors) {
    if (door.package.test(bare) && door.within.test(path) && !door.only.test(path) && !found.typeOnly)
      return problem(`"${specifier}" has one door, and this is not it.`, door.fix);
  }
  return missingFromDeno(path, specifier, denoImports)
    ? problem(`"${specifier}" is not in this function's deno.json.`, 'add it there as npm:name@version')
    : [];
}

function reaches(area: Area, path: string, target: string): boolean {
  const own = path.split('/')[2] ?? '';
  return new RegExp(area.reaches.source.replace('\\{own\\}', own)).test(target);
}

/** The Supabase CLI reads only the function's own deno.json, so every bare import must be a key there. */
function missingFromDeno(
  path: string,
  specifier: string,
  denoImports: Map<string, Record<string, string>>,
): boolean {
  if (!path.startsWith('supabase/functions/') || /^(npm|node):/.test(specifier)) return false;
  const folders = path.startsWith('supabase/functions/_shared/')
    ? [...denoImports.keys()].filter((folder) => folder.startsWith('supabase/functions/'))
    : [path.split('/').slice(0, 3).join('/')];
  return !folders.some((folder) => {
    const map = denoImports.get(folder);
    return map && Object.keys(map).some((key) => key === specifier || specifier.startsWith(`${key}/`));
  });
}

function importMap(text: string): Record<string, string> {
  return (JSON.parse(text) as { imports?: Record<string, string> }).imports ?? {};
}

/** Folder of a workspace → the packages its package.json names. */
function declaredPackages(files: SourceFile[]): Map<string, Set<string>> {
  return new Map(
    files
      .filter(({ path }) => /^[\w-]+\/package\.json$/.test(path))
      .map(({ path, text }) => {
        const { dependencies, devDependencies } = JSON.parse(text) as Record<string, Record<string, string>>;
        return [posix.dirname(path), new Set(Object.keys({ ...dependencies, ...devDependencies }))];
      }),
  );
}

/** What is only there because another package brought it may be gone, or another version, tomorrow. */
function undeclared(
  path: string,
  { specifier, line }: Import,
  declared: Map<string, Set<string>>,
): Problem[] {
  const folder = path.split('/')[0]!;
  const name = /^(@[^/]+\/[^/]+|[^/]+)/.exec(specifier)![0];
  if (/^[.#$]|^node:/.test(specifier) || declared.get(folder)?.has(name) !== false) return [];
  return [
    {
      file: path,
      line,
      message: `"${name}" is not in ${folder}/package.json.`,
      fix: 'add it there with its exact version',
    },
  ];
}

function sqlInRoutes({ path, text }: SourceFile): Problem[] {
  if (!/^supabase\/functions\/[^/]+\/routes\//.test(path)) return [];
  return [
    ...text.matchAll(
      /\bsql`|['"`]\s*(?:select\s.+\sfrom|insert\s+into|update\s.+\sset|delete\s+from|with\s.+\sas\s*\()/gi,
    ),
  ].map((match) => ({
    file: path,
    line: lineAt(text, match.index),
    message: 'SQL in a route.',
    fix: 'move it to services/<noun>.ts',
  }));
}

function denoOutsideDoor({ path, text }: SourceFile): Problem[] {
  if (!/^supabase\/functions\//.test(path) || /\/index\.ts$|_shared\/env\.ts$/.test(path)) return [];
  return [...text.matchAll(/^(?!\s*(?:\/\/|\*)).*\bDeno\./gm)].map((match) => ({
    file: path,
    line: lineAt(text, match.index),
    message: 'Deno is used outside index.ts and _shared/env.ts.',
    fix: 'take the value from _shared/env.ts',
  }));
}
