/** A spreadsheet of devices as rows for ec.import_devices, and its lines that are none. */
import { parse } from 'csv-parse/sync';
import {
  DevicePatch,
  IMPORT_COLUMNS,
  MAX_IMPORT_BYTES,
  MAX_IMPORT_ROWS,
  ProductTypeKey,
  Serial,
} from '@edgeconductor/sdk/contract';
import type { ImportError, ImportRow } from '@edgeconductor/sdk/contract';
import { AppError } from '../../_shared/errors.ts';
import { withoutGuard } from './csv.ts';

/** As ec.import_devices takes it; what is left out stays as it is. */
export interface ImportDevice {
  line: number;
  serial: string;
  product_type?: string;
  name?: string;
  location?: string;
  tags?: string[];
  attributes?: Record<string, string | number | boolean>;
}

export interface ParsedImport {
  rows: ImportDevice[];
  bad: ImportRow[];
  ignored_columns: string[];
}

interface Line {
  line: number;
  cells: string[];
}

const ALIASES: Record<string, string> = { serial_no: 'serial', room_path: 'location' };
const ATTRIBUTE = 'attributes.';

/** Throws `too_large` or `invalid_request` when nothing can be made of the whole. */
export function parseDeviceCsv(text: string): ParsedImport {
  if (new TextEncoder().encode(text).length > MAX_IMPORT_BYTES)
    throw new AppError('too_large', 'The file may have at most 1 MB.', { max_bytes: MAX_IMPORT_BYTES });
  const [head, ...lines] = readLines(text);
  const columns = readColumns(head?.cells ?? []);
  if (lines.length > MAX_IMPORT_ROWS)
    throw refuse(`The file has ${lines.length} devices; import at most ${MAX_IMPORT_ROWS} at once.`);
  const parsed: ParsedImport = {
    rows: [],
    bad: [],
    ignored_columns: columns.filter((name) => !isKnown(name)),
  };
  const seen = new Map<string, number>();
  for (const line of lines) {
    const { device, errors } = readDevice(line, columns, seen);
    if (errors.length === 0) parsed.rows.push(device);
    else parsed.bad.push({ line: line.line, serial: device.serial || null, action: 'error', errors });
  }
  return parsed;
}

function readLines(text: string): Line[] {
  const first = text.slice(0, text.search(/[\r\n]|$/));
  // As spreadsheets write it: semicolons where the comma is the decimal sign. Column names have neither.
  const delimiter = [',', ';', '\t'].sort(
    (a, b) => first.split(b).length - first.split(a).length,
  )[0] as string;
  try {
    const records = parse(text, {
      bom: true,
      delimiter,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as { info: { lines: number }; record: string[] }[];
    return records
      .map(({ info, record }) => ({ line: info.lines, cells: record }))
      .filter(({ cells }) => cells.some((cell) => cell !== ''));
  } catch (error) {
    throw refuse(`This is no CSV: ${error instanceof Error ? error.message : 'it cannot be read'}`);
  }
}

function readColumns(cells: string[]): string[] {
  const columns = cells.map((cell) => {
    const name = cell.startsWith(ATTRIBUTE) ? cell : cell.toLowerCase().replace(/[ -]/g, '_');
    return ALIASES[name] ?? name;
  });
  if (!columns.includes('serial'))
    throw refuse(
      `The first line names the columns: serial, and any of ${IMPORT_COLUMNS.slice(1).join(', ')}.`,
    );
  const twice = columns.find((name, i) => name !== '' && columns.indexOf(name) !== i);
  if (twice !== undefined) throw refuse(`The column "${twice}" is there twice.`);
  return columns;
}

function isKnown(column: string): boolean {
  return (
    (IMPORT_COLUMNS as readonly string[]).includes(column) || column.startsWith(ATTRIBUTE) || column === ''
  );
}

function readDevice(
  { line, cells }: Line,
  columns: string[],
  seen: Map<string, number>,
): { device: ImportDevice; errors: ImportError[] } {
  const device: ImportDevice = { line, serial: '' };
  for (const [i, column] of columns.entries()) {
    const cell = withoutGuard(cells[i] ?? '');
    // An empty cell says nothing: what is there stays.
    if (cell === '') continue;
    if (column === 'tags') device.tags = cell.split(';').flatMap((tag) => tag.trim() || []);
    else if (column === 'serial' || column === 'product_type' || column === 'name' || column === 'location')
      device[column] = cell;
    else if (column.startsWith(ATTRIBUTE))
      device.attributes = { ...device.attributes, [column.slice(ATTRIBUTE.length)]: toValue(cell) };
  }
  const errors = [...checkDevice(device)];
  if (cells.length > columns.length && cells.slice(columns.length).some((cell) => cell !== ''))
    errors.push(wrong(null, `has ${cells.length} cells, but there are ${columns.length} columns`));
  const earlier = seen.get(device.serial);
  if (earlier !== undefined) errors.push(wrong('serial', `is on line ${earlier} already`));
  else if (device.serial !== '') seen.set(device.serial, line);
  return { device, errors };
}

function* checkDevice({ serial, product_type, name, tags, attributes }: ImportDevice): Iterable<ImportError> {
  if (!Serial.safeParse(serial).success)
    yield wrong('serial', serial === '' ? 'is missing' : 'use 3 to 64 letters, digits, "_" or "-"');
  if (product_type !== undefined && !ProductTypeKey.safeParse(product_type).success)
    yield wrong('product_type', 'is too long');
  const patch = {
    ...(name !== undefined && { name }),
    ...(tags && { tags }),
    ...(attributes && { attributes }),
  };
  if (Object.keys(patch).length === 0) return;
  for (const issue of DevicePatch.safeParse(patch).error?.issues ?? [])
    yield wrong(String(issue.path[0] ?? ''), issue.message);
}

/** What was a number or a switch when it was exported is one again; "007" is none. */
function toValue(cell: string): string | number | boolean {
  if (cell === 'true' || cell === 'false') return cell === 'true';
  return /^-?(0|[1-9]\d{0,14})(\.\d{1,6})?$/.test(cell) ? Number(cell) : cell;
}

function wrong(column: string | null, detail: string): ImportError {
  return { column, code: 'invalid_request', detail };
}

function refuse(detail: string): AppError {
  return new AppError('invalid_request', detail, {
    issues: [{ path: ['csv'], code: 'custom', message: detail }],
  });
}
