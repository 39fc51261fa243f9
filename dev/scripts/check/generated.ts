import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generators } from '../generate.ts';
import { formatProblem, type Problem } from './problem.ts';
import { root } from './run-tool.ts';

/** Makes every generated file again in memory and compares it with the committed one. */
export async function checkGenerated(): Promise<string> {
  const problems: Problem[] = [];
  for (const { output, make } of generators) {
    const [made, committed] = await Promise.all([
      make(),
      readFile(join(root, output), 'utf8').catch(() => ''),
    ]);
    if (made === committed) continue;
    problems.push({
      file: output,
      line: firstDifference(made, committed),
      message: committed === '' ? 'is missing.' : 'is not what its source makes.',
      fix: 'npm run generate, read the difference, commit it',
    });
  }
  return problems.map(formatProblem).join('\n');
}

function firstDifference(made: string, committed: string): number {
  const left = made.split('\n');
  const right = committed.split('\n');
  const index = left.findIndex((line, i) => line !== right[i]);
  return (index === -1 ? left.length : index) + 1;
}
