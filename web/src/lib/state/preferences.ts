/** What a person chose for this browser. Cookies, so that the server renders it and nothing flashes. */

export type Theme = 'system' | 'light' | 'dark';

const YEAR = 31_536_000;

function remember(name: string, value: string): void {
  document.cookie = `${name}=${encodeURIComponent(value)}; path=/; max-age=${YEAR}; samesite=lax`;
}

/** Tells the server the browser's time zone and returns it. */
export function rememberZone(): string {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  remember('ec-zone', timeZone);
  return timeZone;
}

export function setTheme(theme: Theme): void {
  remember('ec-theme', theme);
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

export function rememberRail(narrow: boolean): void {
  remember('ec-rail', narrow ? 'narrow' : 'wide');
}

export function rememberColumns(columns: string): void {
  remember('ec-columns', columns);
}
