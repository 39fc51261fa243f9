/** Saved filters of an org's devices. */
import type { SavedFilter, SavedFilterCreate } from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import { requireOrg } from './rights.ts';

/** By name. */
export async function listFilters(db: Db, orgId: string): Promise<SavedFilter[]> {
  await requireOrg(db, orgId, 'read');
  return db<SavedFilter[]>`
    select f.id, f.org_id, f.name, f.filter, f.created_by_label as created_by, f.created_at
    from public.device_filters f where f.org_id = ${orgId} order by lower(f.name), f.id`;
}

/** Throws `conflict` when the name is taken. */
export async function saveFilter(db: Db, orgId: string, input: SavedFilterCreate): Promise<SavedFilter> {
  const [row] = await db<{ filter: SavedFilter }[]>`
    select ec.save_device_filter(${orgId}, ${input.name}, ${JSON.stringify(input.filter)}::text::jsonb) as filter`;
  const { id, org_id, name, filter, created_by, created_at } = (row as { filter: SavedFilter }).filter;
  return { id, org_id, name, filter, created_by, created_at };
}

export async function deleteFilter(db: Db, id: string): Promise<void> {
  await db`select ec.delete_device_filter(${id}::uuid)`;
}
