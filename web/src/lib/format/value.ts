/** Readings as people read them: one decimals rule per metric, the unit apart so that it can be set lighter. */

export interface ValueFormat {
  unit: string;
  /** Tells a switch ("On") from a statement ("Yes"). */
  key?: string;
  /** Digits after the point; null for keys nobody defined (then up to two). */
  decimals: number | null;
}

export interface FormattedValue {
  text: string;
  unit: string;
}

const MINUS = '\u2212';
const NOTHING: FormattedValue = { text: '–', unit: '' };
const numberFormats = new Map<string, Intl.NumberFormat>();

/** Any stored value; nested ones are shown as what they are, never charted. */
export function formatValue(value: unknown, format: ValueFormat): FormattedValue {
  if (typeof value === 'number') return formatNumber(value, format);
  if (typeof value === 'boolean') return { text: switchWord(value, format.key), unit: '' };
  if (typeof value === 'string') return value === '' ? NOTHING : { text: value, unit: format.unit };
  if (Array.isArray(value))
    return { text: `${value.length} ${value.length === 1 ? 'item' : 'items'}`, unit: '' };
  if (value !== null && typeof value === 'object') return { text: '{…}', unit: '' };
  return NOTHING;
}

const STATEMENT = /(^|_)(fix|ok|valid|present|connected)$|^(is|has)_/;

function switchWord(on: boolean, key = ''): string {
  if (STATEMENT.test(key)) return on ? 'Yes' : 'No';
  return on ? 'On' : 'Off';
}

function formatNumber(value: number, { unit, decimals }: ValueFormat): FormattedValue {
  if (!Number.isFinite(value)) return NOTHING;
  if (unit === 's' && Math.abs(value) >= 120) return { text: formatDuration(value), unit: '' };
  if (unit === 'B' && Math.abs(value) >= 1000) return formatBytes(value);
  return { text: digits(value, decimals), unit };
}

function formatBytes(value: number): FormattedValue {
  const mega = Math.abs(value) >= 1_000_000;
  return { text: digits(value / (mega ? 1_000_000 : 1000), 1), unit: mega ? 'MB' : 'kB' };
}

function digits(value: number, decimals: number | null): string {
  const key = decimals === null ? 'open' : String(decimals);
  let format = numberFormats.get(key);
  if (!format) {
    const range =
      decimals === null
        ? { maximumFractionDigits: 2 }
        : { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
    format = new Intl.NumberFormat('en', range);
    numberFormats.set(key, format);
  }
  const text = format.format(value);
  // "-0.0" would be a lie about the sign.
  return /^-[0.,]*$/.test(text) ? text.slice(1) : text.replace('-', MINUS);
}

/** 45 → "45 s", 3840 → "1 h 4 min", 200000 → "2 d 7 h". */
export function formatDuration(seconds: number): string {
  const total = Math.max(0, Math.round(seconds));
  if (total < 60) return `${total} s`;
  const minutes = Math.floor(total / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return joinParts(hours, 'h', minutes % 60, 'min');
  return joinParts(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function joinParts(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
}

/** "1 device", "12 devices". */
export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${new Intl.NumberFormat('en').format(count)} ${count === 1 ? one : many}`;
}
