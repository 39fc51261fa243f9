import { parseTime } from '#lib/format/time.ts';

/** Reads live messages. The sender is our own database, but an older page must survive a newer one's shapes. */

export interface TelemetryEvent {
  serial: string;
  ts: number;
  data: Readonly<Record<string, unknown>>;
  lastSeen: number | null;
}

export interface PresenceEvent {
  serial: string;
  connected: boolean;
}

type Dict = Readonly<Record<string, unknown>>;

export function readTelemetry(payload: unknown): TelemetryEvent | null {
  return isDict(payload) ? reading(payload, payload['data']) : null;
}

/** Devices of a `fleet` event; those that make no sense are left out. */
export function readFleet(payload: unknown): TelemetryEvent[] {
  const devices = isDict(payload) ? payload['devices'] : null;
  if (!Array.isArray(devices)) return [];
  return devices
    .map((item) => (isDict(item) ? reading(item, item['values']) : null))
    .filter((item) => item !== null);
}

export function readPresence(payload: unknown): PresenceEvent | null {
  if (!isDict(payload)) return null;
  const { serial, connected } = payload;
  return typeof serial === 'string' && typeof connected === 'boolean' ? { serial, connected } : null;
}

function reading(source: Dict, data: unknown): TelemetryEvent | null {
  const { serial, ts, last_seen: lastSeen } = source;
  const at = time(ts);
  if (typeof serial !== 'string' || at === null || !isDict(data)) return null;
  return { serial, ts: at, data, lastSeen: time(lastSeen) };
}

const time = (value: unknown) => (typeof value === 'string' ? parseTime(value) : null);
const isDict = (value: unknown): value is Dict =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
