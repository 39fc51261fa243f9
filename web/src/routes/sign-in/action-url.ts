import { page } from '$app/state';

/** The search part without the names of form actions. */
export function keptSearch(search: Iterable<[string, string]>): URLSearchParams {
  return new URLSearchParams([...search].filter(([key]) => !key.startsWith('/')));
}

/** `?/verify` alone would drop `next` and the chosen way; a form action keeps them beside its own name. */
export function actionUrl(name: string): string {
  const rest = keptSearch(page.url.searchParams).toString();
  return `?/${name}${rest ? `&${rest}` : ''}`;
}
