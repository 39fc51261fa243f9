import { lineAt, type Problem, type SourceFile } from './problem.ts';

const CODE = /\.(ts|mjs|js|svelte|sql|cpp|h|ino|css|sh)$/;
// A promise in the code names the issue it waits for and says why; a bare one is refused.
const PROMISE = /\b(TODO|FIXME|XXX|HACK)\b(?!\(#\d+\): \S+ \S+)/g;
const FOCUSED = /\b(?:describe|it|test)\.only\(/g;
const VAGUE_NAME = /(^|\/)(utils?|helpers|common|misc)\.(ts|js|svelte\.ts)$/;

/** Words and names the house does not use: bare promises, focused tests, files named after nothing. */
export function checkWords(files: SourceFile[]): Problem[] {
  const own = 'dev/scripts/check/words';
  return files
    .filter(({ path }) => CODE.test(path) && !path.startsWith(own))
    .flatMap(({ path, text }) => [
      ...[...text.matchAll(PROMISE)].map((match) => ({
        file: path,
        line: lineAt(text, match.index),
        message: `"${match[1]}" without a reason.`,
        fix: 'do it now, or write it as TODO(#issue): why it waits',
      })),
      ...[...text.matchAll(FOCUSED)].map((match) => ({
        file: path,
        line: lineAt(text, match.index),
        message: 'a focused test hides all the others.',
        fix: 'remove .only',
      })),
      ...(VAGUE_NAME.test(path) && !/(^|\/)tests?\//.test(path)
        ? [{ file: path, message: 'a name that says nothing.', fix: 'name the file after its topic' }]
        : []),
    ]);
}
