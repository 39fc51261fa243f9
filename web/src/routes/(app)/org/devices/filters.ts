import type { DeviceFilter, DeviceSort, DeviceStatus, Lifecycle } from '@edgeconductor/sdk';

/** The table's filters live in the URL: a link is a saved view, and the back button undoes a filter. */

export const FILTERS = ['q', 'status', 'product_type', 'room_id', 'tag', 'lifecycle', 'fw_version'] as const;
export type FilterKey = (typeof FILTERS)[number];
export type Filters = Partial<Record<FilterKey, string>>;

const SORTS = ['serial', 'name', 'status', 'last_seen', 'product_type'] as const;
const STATUSES: readonly DeviceStatus[] = ['online', 'offline', 'never_seen'];
const LIFECYCLES: readonly Lifecycle[] = ['manufactured', 'claimed', 'active', 'retired'];
const UUID = /^[0-9a-f-]{36}$/;
export type SortKey = (typeof SORTS)[number];

type Params = Pick<URLSearchParams, 'get'>;

export function readFilters(params: Params): Filters {
  const filters: Filters = {};
  for (const key of FILTERS) {
    const value = params.get(key)?.trim();
    if (value) filters[key] = value;
  }
  return filters;
}

/** The question to the API. Values nobody offers (a hand-made link) count as no filter. */
export function readQuery(params: Params): DeviceFilter {
  const filters = readFilters(params);
  const { q, tag, status, lifecycle, product_type: productType, room_id: roomId } = filters;
  const sort = params.get('sort') ?? '';
  return {
    q,
    tag,
    productType,
    fwVersion: filters.fw_version,
    roomId: roomId && UUID.test(roomId) ? roomId : undefined,
    status: STATUSES.find((known) => known === status),
    lifecycle: LIFECYCLES.find((known) => known === lifecycle),
    sort: SORTS.some((key) => key === sort.replace(/^-/, '')) ? (sort as DeviceSort) : undefined,
    after: params.get('after') ?? undefined,
    before: params.get('before') ?? undefined,
  };
}

/** Address with some filters changed (null removes). Any change starts at the first page again. */
export function withFilters(
  params: Params,
  change: Partial<Record<FilterKey | 'sort', string | null>>,
): string {
  const next = new URLSearchParams();
  for (const key of [...FILTERS, 'sort'] as const) {
    const value = key in change ? change[key] : params.get(key);
    if (value) next.set(key, value);
  }
  return `/org/devices${next.size > 0 ? `?${next}` : ''}`;
}

/** Address of another page of the same table; without a cursor the first one. */
export function atCursor(params: Params, cursor: { after?: string; before?: string }): string {
  const base = withFilters(params, {});
  const next = new URLSearchParams(cursor);
  return next.size > 0 ? `${base}${base.includes('?') ? '&' : '?'}${next}` : base;
}

/** Pressing a column: ascending, then descending, then the natural order. */
export function nextSort(current: string | null, key: SortKey): string | null {
  if (current === key) return `-${key}`;
  return current === `-${key}` ? null : key;
}

/** How many filters narrow the list; the search counts. */
export function countFilters(filters: Filters): number {
  return Object.keys(filters).length;
}
