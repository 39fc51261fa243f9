import type { FilterFields, OtaTarget } from '@edgeconductor/sdk';

/** Whom a job is for, as it stands in the address of the new-job page: a link is a prepared job. */

const FILTERS = ['q', 'status', 'product_type', 'room_id', 'tag', 'lifecycle', 'fw_version'] as const;
const UUID = /^[0-9a-f-]{36}$/;
/** Longer addresses are cut off by proxies. */
const LONGEST = 1500;
const CHOSEN = 'ec-chosen-';

type Params = Pick<URLSearchParams, 'get'>;
/** Puts devices away and names them; every choice under a name of its own, so that Back leads to the right ones. */
type Keep = (serials: readonly string[]) => string;

/** The target in an address; null when it names none. `stored` gives the devices that were too many for an address. */
export function readTarget(params: Params, stored: (key: string) => string[]): OtaTarget | null {
  const chosen = params.get('chosen');
  const serials = chosen === null ? list(params.get('serials')) : stored(chosen);
  if (serials.length > 0) return { serials };
  const saved = params.get('saved');
  if (saved && UUID.test(saved)) return { filter_id: saved };
  const type = params.get('type');
  if (type) return { product_type: type };
  const filter = readFilter(params);
  return filter ? { filter } : null;
}

function readFilter(params: Params): FilterFields | null {
  const filter: Record<string, string> = {};
  for (const key of FILTERS) {
    const value = params.get(key)?.trim();
    if (value) filter[key] = value;
  }
  return Object.keys(filter).length > 0 ? (filter as FilterFields) : null;
}

const list = (value: string | null): string[] => (value ?? '').split(',').filter(Boolean);

/** Address of the page that prepares a job. Many devices are kept in this tab, under `?chosen`. */
export function newJobPath(target: OtaTarget | null, firmware?: string, keep: Keep = keepChosen): string {
  const params = new URLSearchParams();
  if (firmware) params.set('firmware', firmware);
  if (target) write(params, target, keep);
  return `/org/firmware/jobs/new${params.size > 0 ? `?${params}` : ''}`;
}

function write(params: URLSearchParams, target: OtaTarget, keep: Keep): void {
  if ('serials' in target) writeSerials(params, target.serials, keep);
  else if ('filter_id' in target) params.set('saved', target.filter_id);
  else if ('product_type' in target) params.set('type', target.product_type);
  else for (const [key, value] of Object.entries(target.filter)) if (value) params.set(key, value);
}

function writeSerials(params: URLSearchParams, serials: readonly string[], keep: Keep): void {
  const text = serials.join(',');
  if (text.length <= LONGEST) return params.set('serials', text);
  params.set('chosen', keep(serials));
}

function keepChosen(serials: readonly string[]): string {
  const key = crypto.randomUUID();
  sessionStorage.setItem(CHOSEN + key, JSON.stringify(serials));
  return key;
}

/** What `keepChosen` put away; nothing in another tab. */
export function chosenSerials(key: string): string[] {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(CHOSEN + key) ?? '[]');
    return Array.isArray(kept) ? kept.filter((serial) => typeof serial === 'string') : [];
  } catch {
    return [];
  }
}
