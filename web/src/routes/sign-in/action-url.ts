import { page } from '$app/state';

/** `?/verify` alone would drop `next` and the chosen way; a form action keeps them beside its own name. */
export function actionUrl(name: string): string {
  const kept = [...page.url.searchParams].filter(([key]) => !key.startsWith('/'));
  const rest = new URLSearchParams(kept).toString();
  return `?/${name}${rest ? `&${rest}` : ''}`;
}
