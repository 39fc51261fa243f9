/** Firmware: rows as row level security lets the actor see them; uploading is in firmware-upload.ts. */
import type { Firmware, FirmwareListQuery } from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import { missing } from './devices.ts';
import { cutPage, decodeCursor } from './page.ts';
import type { Page } from './page.ts';

type Fragment = ReturnType<Db>;

/** Newest first. Of an org: what it uploaded, and what is ready for devices it holds. */
export async function listFirmware(db: Db, query: FirmwareListQuery): Promise<Page<Firmware>> {
  const from = query.after === undefined ? null : decodeCursor(query.after, 2);
  const rows = await db<(Firmware & { cursor_at: string })[]>`
    select ${columns(db)}, f.created_at::text as cursor_at from public.firmware f
    where ${query.org_id ? isFor(db, query.org_id) : db`true`}
      ${query.product_type ? db`and f.product_type = ${query.product_type}` : db``}
      ${query.state ? db`and f.state = ${query.state}` : db``}
      ${from === null ? db`` : db`and (f.created_at, f.id) < (${String(from[0])}::timestamptz, ${String(from[1])}::uuid)`}
    order by f.created_at desc, f.id desc limit ${query.limit + 1}`;
  const page = cutPage(rows, query.limit, (row) => [row.cursor_at, row.id]);
  return { ...page, items: page.items.map(({ cursor_at: _, ...firmware }) => firmware) };
}

export async function getFirmware(db: Db, id: string): Promise<Firmware> {
  const [firmware] = await db<Firmware[]>`select ${columns(db)} from public.firmware f where f.id = ${id}`;
  if (firmware === undefined) throw missing();
  return firmware;
}

export async function changeNotes(db: Db, id: string, notes: string | null): Promise<Firmware> {
  const [row] = await db<{ firmware: StoredFirmware }[]>`
    select ec.update_firmware_notes(${id}, ${notes ?? ''}) as firmware`;
  return shown((row as { firmware: StoredFirmware }).firmware);
}

/** No job can take it any more. Throws `conflict` with the numbers of open jobs that do. */
export async function retireFirmware(db: Db, id: string): Promise<void> {
  await db`select ec.retire_firmware(${id})`;
}

/** As the functions of schema ec give it. */
export interface StoredFirmware extends Firmware {
  object_path: string;
  /** Why it was refused, in a sentence. */
  detail?: string | null;
}

/** Where the file lies is nobody's business. */
export function shown({ object_path: _, detail: __, ...firmware }: StoredFirmware): Firmware {
  return firmware;
}

function isFor(db: Db, orgId: string): Fragment {
  return db`(f.org_id = ${orgId} or f.state = 'ready' and exists (
    select from public.devices d
    where d.org_id = ${orgId} and d.product_type = f.product_type and d.maker_org_id = f.org_id))`;
}

/** Who uploaded it is told to the maker's own people; others hold its devices, and know the maker. */
function columns(db: Db): Fragment {
  const own = db`f.org_id = any (array(select private.my_org_ids()))`;
  return db`f.id, f.org_id, f.product_type, f.version, f.notes, f.filename, f.size, f.sha256, f.signature, f.chip,
    f.project, f.idf_version, f.raw, f.state, f.refused_reason,
    private.firmware_uploader(f.id) as created_by, case when ${own} then f.created_by_kind end as created_by_kind,
    f.created_at, f.ready_at`;
}
