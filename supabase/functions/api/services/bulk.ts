/** Many devices at once, each with a result of its own. */
import { isErrorCode } from '@edgeconductor/sdk/contract';
import type {
  BulkAssignReply,
  BulkAssignRequest,
  Device,
  DeviceImportReply,
} from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import { isMine, selectDevices } from './device-rows.ts';
import { parseDeviceCsv } from './import-csv.ts';
import type { ImportDevice } from './import-csv.ts';
import { requireOrg } from './rights.ts';

type StoredResult = { serial: string } & (
  { ok: true } | { ok: false; error: { code: string; detail: string } }
);

/** Into a room, out of it, or to another organisation. */
export async function assignDevices(
  db: Db,
  orgId: string,
  { serials, ...target }: BulkAssignRequest,
): Promise<BulkAssignReply> {
  const unique = [...new Set(serials)];
  const [row] = await db<{ results: StoredResult[] }[]>`
    select ec.assign_org_devices(${orgId}, ${unique}::text[], ${JSON.stringify(target)}::text::jsonb) as results`;
  const stored = (row as { results: StoredResult[] }).results;
  const moved = stored.filter((result) => result.ok).map((result) => result.serial);
  const devices = await db<Device[]>`
    ${selectDevices(db, db``)} where d.serial = any (${moved}::text[]) and ${isMine(db)}`;
  const bySerial = new Map(devices.map((device) => [device.serial_no, device]));
  const results = stored.map((result) => {
    const { serial } = result;
    if (!result.ok) {
      const code = isErrorCode(result.error.code) ? result.error.code : 'unprocessable';
      return { serial, ok: false, error: { code, detail: result.error.detail } };
    }
    const device = bySerial.get(serial);
    return { serial, ok: true, ...(device && { device }) };
  });
  return { results, done: moved.length, failed: results.length - moved.length };
}

/** What the lines of a spreadsheet would do (`dryRun`), or do. Throws `invalid_request` for what is no such table. */
export async function importDevices(
  db: Db,
  orgId: string,
  csv: string,
  dryRun: boolean,
): Promise<DeviceImportReply> {
  await requireOrg(db, orgId, 'configure');
  const { rows, bad, ignored_columns } = parseDeviceCsv(csv);
  const done = rows.length === 0 ? NOTHING : await runImport(db, orgId, rows, dryRun);
  return {
    rows: [...done.rows, ...bad].sort((a, b) => a.line - b.line),
    counts: { ...done.counts, error: done.counts.error + bad.length },
    ignored_columns,
    applied: !dryRun,
  };
}

type StoredImport = Pick<DeviceImportReply, 'rows' | 'counts'>;
const NOTHING: StoredImport = { rows: [], counts: { create: 0, update: 0, unchanged: 0, error: 0 } };

async function runImport(
  db: Db,
  orgId: string,
  rows: ImportDevice[],
  dryRun: boolean,
): Promise<StoredImport> {
  const [row] = await db<{ result: StoredImport }[]>`
    select ec.import_devices(${orgId}, ${JSON.stringify(rows)}::text::json, ${dryRun}) as result`;
  return (row as { result: StoredImport }).result;
}
