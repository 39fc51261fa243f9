/** One thing the gate refuses: where it is, what is wrong, and what to do about it. */
export interface Problem {
  file: string;
  /** 1-based; absent when the whole file is meant. */
  line?: number;
  message: string;
  fix: string;
}

/** A text file of the repository: path relative to the root with `/`, and its whole text. */
export interface SourceFile {
  path: string;
  text: string;
}

export function formatProblem(problem: Problem): string {
  const place = problem.line === undefined ? problem.file : `${problem.file}:${problem.line}`;
  return `  ${place}\n      ${problem.message}\n      fix: ${problem.fix}`;
}

/** 1-based line of a character offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let i = text.indexOf('\n'); i !== -1 && i < offset; i = text.indexOf('\n', i + 1)) line++;
  return line;
}
