/**
 * A form that was sent before the page was alive leaves the name of its action in the address (`/claim?/send`). The next
 * form's answer then counts as another page's, and the page is loaded anew without it: what was said and typed is lost.
 *
 * Gives the address without that name; null when it has none.
 */
export function withoutAction(address: string): string | null {
  const url = new URL(address);
  const actions = [...url.searchParams.keys()].filter((key) => key.startsWith('/'));
  if (actions.length === 0) return null;
  for (const key of actions) url.searchParams.delete(key);
  return url.href;
}
