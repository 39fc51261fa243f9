/** One JSON line per thing that happened; never a secret. */
export function log(event: string, fields: Record<string, unknown>): void {
  const line = JSON.stringify({ at: new Date().toISOString(), part: 'web', event, ...fields });
  process.stdout.write(`${line}\n`);
}
