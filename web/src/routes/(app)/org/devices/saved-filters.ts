import type { FilterFields } from '@edgeconductor/sdk';
import { readFilters, readQuery, withFilters, type Filters } from './filters.ts';

type Params = Pick<URLSearchParams, 'get'>;

/** What the table's address asks for, as it is kept under a name; null when it narrows nothing. */
export function filterToSave(params: Params): FilterFields | null {
  const { q, tag, status, lifecycle, productType, roomId, fwVersion } = readQuery(params);
  const filter = {
    ...(q && { q }),
    ...(tag && { tag }),
    ...(status && { status }),
    ...(lifecycle && { lifecycle }),
    ...(productType && { product_type: productType }),
    ...(roomId && { room_id: roomId }),
    ...(fwVersion && { fw_version: fwVersion }),
  };
  return Object.keys(filter).length > 0 ? filter : null;
}

/** Address of the table with exactly this filter. */
export function filterPath({ location_id, ...filter }: FilterFields): string {
  return withFilters(new URLSearchParams(), {
    ...(location_id && { room_id: location_id }),
    ...defined(filter),
  });
}

const defined = (filter: FilterFields): Filters =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));

/** Whether the table shows exactly this filter now. */
export function isShown(filter: FilterFields, params: Params): boolean {
  return filterPath(filter) === withFilters(new URLSearchParams(), readFilters(params));
}
