import type { Problem, SourceFile } from './problem.ts';

const EXACT = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/;
const NPM_SPEC = /^npm:((?:@[^/@]+\/)?[^/@]+)(?:@([^/]+))?(\/.*)?$/;

interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

/** Every dependency is one exact version, and the same one wherever it is named. */
export function checkPins(files: SourceFile[]): Problem[] {
  const problems: Problem[] = [];
  const seen = new Map<string, { version: string; file: string }>();

  for (const { path, text } of files) {
    for (const { name, version } of dependenciesOf(path, text)) {
      if (!EXACT.test(version)) {
        problems.push({
          file: path,
          message: `${name} is "${version}", not one version.`,
          fix: 'write the exact version',
        });
        continue;
      }
      const other = seen.get(name);
      if (other && other.version !== version) {
        problems.push({
          file: path,
          message: `${name} is ${version} here and ${other.version} in ${other.file}.`,
          fix: 'use one version everywhere',
        });
      }
      seen.set(name, { version, file: path });
    }
  }
  return problems;
}

function dependenciesOf(path: string, text: string): { name: string; version: string }[] {
  if (/(^|\/)package\.json$/.test(path)) {
    const manifest = JSON.parse(text) as Manifest;
    return [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies].flatMap((group) =>
      // An alias (`npm:other@1.2.3`) is pinned by what follows the last @.
      Object.entries(group ?? {}).map(([name, version]) => ({
        name,
        version: version.replace(/^npm:(@[^/]+\/)?[^@]+@/, ''),
      })),
    );
  }
  if (/(^|\/)deno\.json$/.test(path)) {
    const imports = (JSON.parse(text) as { imports?: Record<string, string> }).imports ?? {};
    return Object.values(imports).flatMap((target) => {
      const [, name, version] = NPM_SPEC.exec(target) ?? [];
      return name ? [{ name, version: version ?? '(any)' }] : [];
    });
  }
  return [];
}
