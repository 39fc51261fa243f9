/** Update jobs. What they do is decided in SQL; here they are made, stopped and shown. */
import type {
  OtaDeviceState,
  OtaJob,
  OtaJobCreate,
  OtaJobListQuery,
  OtaPreview,
  OtaPush,
} from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import { missing } from './devices.ts';
import { cutPage, decodeCursor } from './page.ts';
import type { Page } from './page.ts';
import { requireOrg } from './rights.ts';

/** Who would get it in which stage, who not and why. */
export async function previewJob(db: Db, orgId: string, input: OtaJobCreate): Promise<OtaPreview> {
  await bePatient(db);
  const [row] = await db<{ preview: OtaPreview }[]>`
    select ec.preview_ota_job(${orgId}, ${JSON.stringify(input)}::text::jsonb) as preview`;
  return (row as { preview: OtaPreview }).preview;
}

/** Throws `unprocessable` with the reasons when nobody would get it. */
export async function createJob(db: Db, orgId: string, input: OtaJobCreate): Promise<OtaJob> {
  await bePatient(db);
  const [row] = await db<{ job: OtaJob }[]>`
    select ec.create_ota_job(${orgId}, ${JSON.stringify(input)}::text::jsonb) as job`;
  return (row as { job: OtaJob }).job;
}

/** A job of one device. */
export async function pushFirmware(db: Db, serial: string, push: OtaPush): Promise<OtaJob> {
  const [row] = await db<{ job: OtaJob }[]>`
    select ec.push_firmware(${serial}, ${push.firmware_id}::uuid, ${push.force}) as job`;
  return (row as { job: OtaJob }).job;
}

/** Newest first. */
export async function listJobs(db: Db, orgId: string, query: OtaJobListQuery): Promise<Page<OtaJob>> {
  await requireOrg(db, orgId, 'read');
  const before = query.after === undefined ? null : Number(decodeCursor(query.after, 1)[0]);
  const rows = await db<{ job: OtaJob }[]>`
    select j as job from ec.list_ota_jobs(${orgId}, ${query.state ?? null}, ${query.product_type ?? null},
      ${before}::int, ${query.limit + 1}::int) j`;
  return cutPage(
    rows.map(({ job }) => ({ ...job, failures: job.failures ?? [] })),
    query.limit,
    (job) => [job.number],
  );
}

export async function getJob(db: Db, id: string): Promise<OtaJob> {
  const [row] = await db<{ job: OtaJob | null }[]>`select ec.read_ota_job(${id}) as job`;
  if (!row?.job) throw missing();
  return row.job;
}

type Step = 'pause' | 'resume' | 'abort';

/** Throws `conflict` with the job's state when that does not allow it. */
export async function stepJob(db: Db, id: string, step: Step): Promise<OtaJob> {
  await bePatient(db);
  const name = db(`ec.${step}_ota_job`);
  const [row] = await db<{ job: OtaJob }[]>`select ${name}(${id}::uuid) as job`;
  return (row as { job: OtaJob }).job;
}

/** null: failed, timed out, rolled back and cancelled ones. */
export async function retryJob(db: Db, id: string, states: OtaDeviceState[] | null): Promise<OtaJob> {
  await bePatient(db);
  const [row] = await db<{ job: OtaJob }[]>`
    select ec.retry_ota_job(${id}::uuid, ${states}::text[]) as job`;
  return (row as { job: OtaJob }).job;
}

/** Fifty thousand devices are a row each, and take longer than any other request may. */
async function bePatient(db: Db): Promise<void> {
  await db`set local statement_timeout = '60s'`;
}
