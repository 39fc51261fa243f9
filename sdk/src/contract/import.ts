/** Devices out of a spreadsheet: what would happen, line by line, and then the same for good. */
import { z } from 'zod';
import { ErrorCode } from './errors.ts';
import { MAX_BULK_DEVICES } from './register.ts';

export const MAX_IMPORT_ROWS = MAX_BULK_DEVICES;
export const MAX_IMPORT_BYTES = 1024 * 1024;

/** `attributes.<key>` besides; the first two are needed to create a device. */
export const IMPORT_COLUMNS = ['serial', 'product_type', 'name', 'location', 'tags'] as const;

/** POST /orgs/:id/devices/import. A `dry_run` writes nothing; without it good rows are applied, bad ones reported. */
export const DeviceImportRequest = z
  .strictObject({
    csv: z.string().min(1).describe('Comma, semicolon or tab separated, with a line of column names first'),
    dry_run: z.boolean(),
  })
  .meta({ id: 'DeviceImportRequest' });
export type DeviceImportRequest = z.infer<typeof DeviceImportRequest>;

export const ImportAction = z.enum(['create', 'update', 'unchanged', 'error']);
export type ImportAction = z.infer<typeof ImportAction>;

export const ImportError = z
  .object({ column: z.string().nullable(), code: ErrorCode, detail: z.string() })
  .meta({ id: 'ImportError' });
export type ImportError = z.infer<typeof ImportError>;

export const ImportRow = z
  .object({
    line: z.int().describe('In the file, from 1; the column names are on line 1'),
    serial: z.string().nullable(),
    action: ImportAction,
    changes: z.record(z.string(), z.object({ from: z.unknown(), to: z.unknown() })).optional(),
    errors: z.array(ImportError),
  })
  .meta({ id: 'ImportRow' });
export type ImportRow = z.infer<typeof ImportRow>;

export const DeviceImportReply = z
  .object({
    rows: z.array(ImportRow),
    counts: z.object({ create: z.int(), update: z.int(), unchanged: z.int(), error: z.int() }),
    ignored_columns: z.array(z.string()),
    applied: z.boolean(),
  })
  .meta({ id: 'DeviceImportReply' });
export type DeviceImportReply = z.infer<typeof DeviceImportReply>;
