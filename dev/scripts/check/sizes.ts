import type { Problem, SourceFile } from './problem.ts';

const WALL = 400;
const TEST_WALL = 1200;
const SOURCE = /\.(ts|mjs|js|svelte|sql|cpp|h|ino|css)$/;
const GENERATED = /(^|\/)generated\/|\.snapshot\.|database\.types\.ts$/;

/** Hand-written source stays under 400 lines, tests under three times that. */
export function checkSizes(files: SourceFile[]): Problem[] {
  return files
    .filter(({ path }) => SOURCE.test(path) && !GENERATED.test(path))
    .flatMap(({ path, text }) => {
      const lines = text.split('\n').length - 1;
      const wall = /\.test\.ts$|(^|\/)tests?\//.test(path) ? TEST_WALL : WALL;
      if (lines <= wall) return [];
      return [
        {
          file: path,
          message: `${lines} lines; the wall is ${wall}.`,
          fix: 'split it by topic into files named after what they hold',
        },
      ];
    });
}
