/** A page as HTTP answers it: a plain array, with the way on in the Link header. */
import { encodeCursor } from '../services/page.ts';
import type { CursorValues, Page } from '../services/page.ts';
import { Reply } from './route.ts';

/** The items as a plain array, the way on in the Link header. */
export function pageReply<T>(page: Page<T>, publicUrl: URL): Reply<T[]> {
  const links: string[] = [];
  if (page.next) links.push(`<${withCursor(publicUrl, 'after', page.next)}>; rel="next"`);
  if (page.previous) links.push(`<${withCursor(publicUrl, 'before', page.previous)}>; rel="prev"`);
  return new Reply(200, page.items, {
    ...(links.length > 0 ? { Link: links.join(', ') } : {}),
    ...(page.total === undefined ? {} : { 'X-Total-Count': String(page.total) }),
  });
}

function withCursor(publicUrl: URL, name: 'after' | 'before', values: CursorValues): string {
  const url = new URL(publicUrl);
  url.searchParams.delete('after');
  url.searchParams.delete('before');
  url.searchParams.set(name, encodeCursor(values));
  return url.href;
}
