/** Updates of single devices, within their job and over the life of a device. */
import type {
  DeviceOta,
  OtaEvent,
  OtaJobDevice,
  OtaJobDevicesQuery,
  OtaStatus,
  OtaStatusAccepted,
  OtaTimelineEntry,
} from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import { isMine } from './device-rows.ts';
import { missing } from './devices.ts';
import { cutPage, decodeCursor } from './page.ts';
import type { Page } from './page.ts';
import { contains } from './search.ts';

type Fragment = ReturnType<Db>;

/** In the order in which they are updated. */
export async function listJobDevices(
  db: Db,
  jobId: string,
  query: OtaJobDevicesQuery,
): Promise<Page<OtaJobDevice>> {
  await requireJob(db, jobId);
  const from = query.after === undefined ? null : decodeCursor(query.after, 2);
  const pattern = query.q === undefined ? null : contains(query.q);
  const rows = await db<(OtaJobDevice & { position: number; id: number })[]>`
    select x.serial, d.name, ${columns(db)}, x.position, x.id
    from public.ota_job_devices x left join public.devices d on d.id = x.device_id
    where x.job_id = ${jobId}
      ${query.state ? db`and x.state = any (${query.state}::text[])` : db``}
      ${query.reason === undefined ? db`` : db`and x.reason = ${query.reason}`}
      ${query.stage === undefined ? db`` : db`and x.stage = ${query.stage}::int`}
      ${pattern === null ? db`` : db`and (x.serial ilike ${pattern} or d.name ilike ${pattern})`}
      ${from === null ? db`` : db`and (x.position, x.id) > (${Number(from[0])}::int, ${Number(from[1])}::bigint)`}
    order by x.position, x.id limit ${query.limit + 1}`;
  const page = cutPage(rows, query.limit, (row) => [row.position, row.id]);
  return { ...page, items: page.items.map(({ position: _, id: __, ...device }) => device) };
}

/** What one device of a job went through, oldest first. */
export async function listEvents(db: Db, jobId: string, serial: string): Promise<OtaEvent[]> {
  await requireJob(db, jobId);
  const [device] = await db`
    select from public.ota_job_devices x where x.job_id = ${jobId} and x.serial = ${serial}`;
  if (device === undefined) throw missing();
  return db<OtaEvent[]>`
    select e.at, e.state, e.detail from public.ota_events e
    join public.ota_job_devices x on x.id = e.job_device_id
    where x.job_id = ${jobId} and x.serial = ${serial} order by e.at, e.id`;
}

/** What the job itself went through, oldest first. */
export async function listTimeline(db: Db, jobId: string): Promise<OtaTimelineEntry[]> {
  await requireJob(db, jobId);
  return db<OtaTimelineEntry[]>`
    select e.at, e.state as event, e.detail from public.ota_events e
    where e.job_id = ${jobId} and e.job_device_id is null order by e.at, e.id`;
}

/** All updates of a device that its present organisation made, newest first. */
export async function listDeviceOta(
  db: Db,
  serial: string,
  query: { limit: number; after?: string | undefined },
): Promise<Page<DeviceOta>> {
  const [device] = await db<{ id: string }[]>`
    select d.id from public.devices d where d.serial = ${serial} and ${isMine(db)}`;
  if (device === undefined) throw missing();
  const from = query.after === undefined ? null : decodeCursor(query.after, 1);
  const rows = await db<(DeviceOta & { id: number })[]>`
    select ${columns(db)}, x.id, j.id as job_id, j.number as job_number, j.name as job_name, j.state as job_state,
      j.firmware_id, j.version, j.created_at
    from public.ota_job_devices x join public.ota_jobs j on j.id = x.job_id
    where x.device_id = ${device.id} ${from === null ? db`` : db`and x.id < ${Number(from[0])}::bigint`}
    order by x.id desc limit ${query.limit + 1}`;
  const page = cutPage(rows, query.limit, (row) => [row.id]);
  return { ...page, items: page.items.map(({ id: _, ...update }) => update) };
}

/** What the device itself says about its update. Throws `not_found` for a job that is not its own. */
export async function reportOta(db: Db, serial: string, status: OtaStatus): Promise<OtaStatusAccepted> {
  const [row] = await db<{ answer: OtaStatusAccepted }[]>`
    select ec.report_ota_status(${serial}, ${JSON.stringify(status)}::text::jsonb) as answer`;
  return (row as { answer: OtaStatusAccepted }).answer;
}

async function requireJob(db: Db, id: string): Promise<void> {
  const [job] = await db`select from public.ota_jobs j where j.id = ${id}`;
  if (job === undefined) throw missing();
}

function columns(db: Db): Fragment {
  return db`x.state, x.percent, x.reason, x.stage, x.from_version, x.attempt, x.not_before, x.changed_at, x.sent_at,
    x.finished_at`;
}
