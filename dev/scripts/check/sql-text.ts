/**
 * SQL with comments blanked out (same length, same lines), so that patterns only meet code.
 * Dollar-quoted bodies are kept: a function's body is code too.
 */
export function withoutComments(sql: string): string {
  return sql.replace(/'(?:[^']|'')*'|--[^\n]*|\/\*[\s\S]*?\*\//g, (match) =>
    match.startsWith("'") ? match : match.replace(/[^\n]/g, ' '),
  );
}

/** `sql` with every dollar-quoted body blanked out: what the migration itself executes. */
export function withoutBodies(sql: string): string {
  return sql.replace(/\$(\w*)\$[\s\S]*?\$\1\$/g, (match) => match.replace(/[^\n]/g, ' '));
}
