import { createHash, randomBytes } from 'node:crypto';
import type { Actor, Database, Session } from './database.ts';
import { makeDevices, type FleetDevice } from './fleet.ts';
import { nextArrival, received, telemetry } from './wire.ts';

export interface Firmware {
  id: string;
  org_id: string;
  version: string | null;
  state: 'uploading' | 'ready' | 'refused' | 'retired';
  refused_reason: string | null;
  object_path: string;
  detail?: string | null;
}

export type DeviceState =
  | ('queued' | 'sent' | 'downloading' | 'installing' | 'rebooting')
  | ('succeeded' | 'failed' | 'rolled_back' | 'timed_out' | 'rejected' | 'cancelled');

export interface Job {
  id: string;
  number: number;
  state: 'scheduled' | 'running' | 'paused' | 'aborted' | 'completed';
  stage: number;
  soaking_since: string | null;
  abort_reason: Record<string, unknown> | null;
  stages: { devices: number; counts: Record<DeviceState, number> }[];
  counts: Record<DeviceState, number>;
  targeted: number;
  failures: { state: DeviceState; reason: string; devices: number }[];
}

export interface Execution {
  id: string;
  serial: string;
  stage: number;
  state: DeviceState;
  percent: number | null;
  reason: string | null;
  attempt: number;
  from_version: string | null;
  not_before: Date | null;
  sends: number;
}

export interface OtaMessage {
  url: string;
  version: string;
  job_id: string;
  attempt: number;
}

/** Work as the API does what it alone may: login ec_api, with the actor's claims. */
export const asApi = <Result>(
  db: Database,
  actor: Actor,
  work: (session: Session) => Promise<Result>,
): Promise<Result> =>
  db.as(actor, async (session) => {
    await session.query('set local role none');
    return work(session);
  });

export interface Upload {
  version?: string | null;
  size?: number;
  type?: string;
  raw?: boolean;
  notes?: string;
}

export const begin = (db: Database, actor: Actor, orgId: string, upload: Upload = {}): Promise<Firmware> =>
  db.as(actor, (session) =>
    session.value('select ec.begin_firmware($1, $2, $3, $4, $5, $6, $7)', [
      orgId,
      upload.type ?? 'EC-CLIMATE-V1',
      upload.version === undefined ? '1.1.0' : upload.version,
      'image.bin',
      upload.size ?? 1000,
      upload.notes ?? '',
      upload.raw ?? false,
    ]),
  );

export const facts = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  ...{ size: 1000, sha256: createHash('sha256').update(randomBytes(8)).digest('hex'), signature: 'c2lnbg==' },
  ...{ chip: 'esp32', project: 'climate', version: '1.1.0', idf_version: 'v5.2' },
  ...more,
});

export const finish = (
  db: Database,
  actor: Actor,
  id: string,
  more: Record<string, unknown> = {},
): Promise<Firmware> =>
  asApi(db, actor, (session) => session.value('select ec.finish_firmware($1, $2)', [id, facts(more)]));

/** An image of that version, ready for use. */
export async function makeFirmware(
  db: Database,
  actor: Actor,
  orgId: string,
  version = '1.1.0',
  type = 'EC-CLIMATE-V1',
): Promise<Firmware> {
  const { id } = await begin(db, actor, orgId, { version, type });
  return finish(db, actor, id, { version });
}

/** Devices that run 1.0.0 and, unless told otherwise, have a session at the broker. */
export async function makeUpdatable(
  db: Database,
  orgId: string,
  count: number,
  { connected = true, version = '1.0.0' }: { connected?: boolean; version?: string } = {},
): Promise<FleetDevice[]> {
  const devices = await makeDevices(db, orgId, count);
  const nums = devices.map(({ num }) => num);
  await db.query(
    `update public.devices set fw_version = $2, lifecycle = 'active', activated_at = clock_timestamp() where num = any ($1)`,
    [nums, version],
  );
  if (connected)
    await db.query(
      `update public.device_state set connected = true, last_seen = clock_timestamp(), last_door = 'mqtt' where device_num = any ($1)`,
      [nums],
    );
  return devices;
}

export type JobInput = Record<string, unknown>;
const serialsOf = (devices: { serial: string }[]): string[] => devices.map(({ serial }) => serial);

export const createJob = (
  db: Database,
  actor: Actor,
  orgId: string,
  firmwareId: string,
  devices: { serial: string }[],
  more: JobInput = {},
): Promise<Job> =>
  db.as(actor, (session) =>
    session.value('select ec.create_ota_job($1, $2)', [
      orgId,
      { firmware_id: firmwareId, target: { serials: serialsOf(devices) }, ...more },
    ]),
  );

export const readJob = (db: Database, id: string): Promise<Job> =>
  db.value('select private.ota_job_and_failures(j) from public.ota_jobs j where id = $1', [id]);

export const manage = (
  db: Database,
  actor: Actor,
  what: 'pause' | 'resume' | 'abort' | 'retry',
  id: string,
  states?: string[],
): Promise<Job> =>
  db.as(actor, (session) =>
    what === 'retry'
      ? session.value('select ec.retry_ota_job($1, $2)', [id, states ?? null])
      : session.value(`select ec.${what}_ota_job($1)`, [id]),
  );

export const advance = (db: Session): Promise<number> =>
  db.value('select ec.advance_ota_jobs(clock_timestamp())');

export const executionOf = async (db: Session, jobId: string, serial: string): Promise<Execution> =>
  (
    await db.query<Execution & Record<string, unknown>>(
      'select * from public.ota_job_devices where job_id = $1 and serial = $2',
      [jobId, serial],
    )
  )[0]!;

/** serial → state, of all devices of the job. */
export const statesOf = async (db: Session, jobId: string): Promise<Record<string, DeviceState>> =>
  db.value(`select jsonb_object_agg(serial, state) from public.ota_job_devices where job_id = $1`, [jobId]);

export const otas = (bridge: Session, serial: string): Promise<OtaMessage[]> =>
  received(bridge, serial, 'ota') as Promise<OtaMessage[]>;

/** What the bridge reads on ota/status. */
export const say = (
  bridge: Session,
  serial: string,
  jobId: string,
  state: string,
  more: { a?: number; percent?: number; reason?: string; retry_s?: number } = {},
): Promise<number> =>
  bridge.value('select ec.record_ota_status($1::json)', [
    JSON.stringify([{ s: serial, j: jobId, state, ...more, r: nextArrival() }]),
  ]);

/** From the message to the new version, as a device does it. */
export async function install(
  bridge: Session,
  db: Session,
  serial: string,
  jobId: string,
  version = '1.1.0',
): Promise<void> {
  for (const state of ['downloading', 'installing', 'rebooting']) await say(bridge, serial, jobId, state);
  await telemetry(db, serial, { temp: 20, fw_version: version });
}

/** As if everything about updates had happened so long ago. */
export async function ageUpdates(db: Session, seconds: number): Promise<void> {
  await db.query(
    `update public.ota_job_devices set sent_at = sent_at - make_interval(secs => $1), changed_at = changed_at - make_interval(secs => $1),
       timeout_at = timeout_at - make_interval(secs => $1), not_before = not_before - make_interval(secs => $1),
       finished_at = finished_at - make_interval(secs => $1), queued_at = queued_at - make_interval(secs => $1)`,
    [seconds],
  );
  await db.query(
    `update public.ota_jobs set soaking_since = soaking_since - make_interval(secs => $1), starts_at = starts_at - make_interval(secs => $1),
       counting_since = counting_since - make_interval(secs => $1)`,
    [seconds],
  );
}
