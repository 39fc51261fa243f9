import type { DeadLetter, DeadLetterQuery } from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import { cutPage, decodeCursor } from './page.ts';
import type { Page } from './page.ts';
import { missing } from './devices.ts';
import { requireOrg } from './rights.ts';

type Fragment = ReturnType<Db>;

/** Newest first. */
export async function listOrgDeadLetters(
  db: Db,
  orgId: string,
  query: DeadLetterQuery,
): Promise<Page<DeadLetter>> {
  await requireOrg(db, orgId, 'read');
  return list(db, db`l.org_id = ${orgId}`, query);
}

export async function listDeviceDeadLetters(
  db: Db,
  serial: string,
  query: DeadLetterQuery,
): Promise<Page<DeadLetter>> {
  const [device] = await db<{ id: string }[]>`select d.id from public.devices d where d.serial = ${serial}`;
  if (device === undefined) throw missing();
  return list(db, db`l.device_id = ${device.id}`, query);
}

async function list(db: Db, where: Fragment, query: DeadLetterQuery): Promise<Page<DeadLetter>> {
  const from = query.after === undefined ? null : decodeCursor(query.after, 1);
  const rows = await db<DeadLetter[]>`
    select l.id, l.org_id, l.device_id, l.serial, l.door, l.reason, l.detail, l.payload, l.payload_bytes, l.received_at
    from public.dead_letters l
    where ${where}
      ${query.reason ? db`and l.reason = ${query.reason}` : db``}
      ${query.serial ? db`and l.serial = ${query.serial}` : db``}
      ${from === null ? db`` : db`and l.id < ${Number(from[0])}`}
    order by l.id desc limit ${query.limit + 1}`;
  return cutPage(rows, query.limit, (row) => [row.id]);
}
