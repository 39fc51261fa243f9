/** A text as ILIKE pattern that finds it anywhere, with nothing in it that is a wildcard. */
export function contains(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}
