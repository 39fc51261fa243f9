/** Lists: `await` gives the first page as an array, `for await` walks through all pages. */
import type { Query, RequestOptions, Transport } from './request.ts';

export interface Page<T> {
  items: T[];
  /** Give it as `after` to get the next page; null on the last one. */
  next: string | null;
  /** Give it as `before` to get the page before; null where the route has none. */
  previous: string | null;
  /** Of all pages; null where the route does not count. */
  total: number | null;
}

/**
 * @example
 * const devices = await ec.devices.list({ orgId });            // first page
 * for await (const device of ec.devices.list({ orgId })) { }   // all of them
 */
export class List<T> implements PromiseLike<T[]>, AsyncIterable<T> {
  readonly #fetchPage: (after: string | null) => Promise<Page<T>>;
  #first: Promise<Page<T>> | undefined;

  constructor(fetchPage: (after: string | null) => Promise<Page<T>>) {
    this.#fetchPage = fetchPage;
  }

  /** The first page with its cursors. Asked for once, however often it is used. */
  page(): Promise<Page<T>> {
    this.#first ??= this.#fetchPage(null);
    return this.#first;
  }

  then<A = T[], B = never>(
    fulfilled?: ((items: T[]) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.page()
      .then((page) => page.items)
      .then(fulfilled, rejected);
  }

  catch<B = never>(rejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<T[] | B> {
    return this.then(undefined, rejected);
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    let page = await this.page();
    yield* page.items;
    while (page.next !== null) {
      page = await this.#fetchPage(page.next);
      yield* page.items;
    }
  }

  /** All pages in one array, at most `limit` items. */
  async toArray(limit = Infinity): Promise<T[]> {
    const items: T[] = [];
    for await (const item of this) {
      if (items.length >= limit) break;
      items.push(item);
    }
    return items;
  }
}

/** A list of a route that pages with `Link`. */
export function list<T>(transport: Transport, path: string, query: Query, options?: RequestOptions): List<T> {
  return new List(async (after) => {
    const paged = after === null ? query : { ...query, after, before: undefined };
    const { data, headers } = await transport.request<T[]>({ method: 'GET', path, query: paged, options });
    const total = headers.get('x-total-count');
    return {
      items: data,
      next: cursorOf(headers.get('link'), 'next', 'after'),
      previous: cursorOf(headers.get('link'), 'prev', 'before'),
      total: total === null ? null : Number(total),
    };
  });
}

/** The cursor alone is taken: the address in the link is the API's, the client may stand behind another. */
function cursorOf(link: string | null, rel: string, name: string): string | null {
  for (const [, url, found] of (link ?? '').matchAll(/<([^>]*)>\s*;\s*rel="([^"]*)"/g)) {
    if (found === rel) return new URL(url as string, 'http://relative').searchParams.get(name);
  }
  return null;
}
