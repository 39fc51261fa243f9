/** Numbers inside sentences. */

/** "40 minutes", "3 hours", "5 days": in the unit that leaves a number one can feel. */
export function span(hours: number): string {
  if (hours < 1.5) return plural(Math.max(1, Math.round(hours * 60)), 'minute');
  if (hours < 48) return plural(Math.round(hours), 'hour');
  return plural(Math.round(hours / 24), 'day');
}

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`;

/** "850 B", "41 KB". */
export const bytes = (count: number): string =>
  Math.abs(count) < 1024 ? `${Math.round(count)} B` : `${tidy(count / 1024)} KB`;

/** "850 ms", "2.3 seconds", "4 minutes". */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 90_000 ? `${tidy(ms / 1000)} seconds` : span(ms / 3_600_000);
}

/** One decimal below ten, none above. */
export const tidy = (value: number): string =>
  (Math.abs(value) < 10 ? Math.round(value * 10) / 10 : Math.round(value)).toLocaleString('en');
