import type { CommandState } from '@edgeconductor/sdk';
import { parseTime } from '#lib/format/time.ts';

/** Reads live messages. The sender is our own database, but an older page must survive a newer one's shapes. */

export interface TelemetryEvent {
  serial: string;
  ts: number;
  data: Readonly<Record<string, unknown>>;
  lastSeen: number | null;
  connected?: boolean;
  /** Everything the device reports, with the time of what the newest packet did not carry. */
  reported?: Readonly<Record<string, unknown>>;
  older?: Readonly<Record<string, number>>;
}

export interface PresenceEvent {
  serial: string;
  connected: boolean;
}

/** Somebody changed what the device should be. */
export interface ShadowEvent {
  serial: string;
  version: number;
  desired: Readonly<Record<string, unknown>>;
  at: number;
}

/** A command has another state; its payload and reply are fetched by whoever shows them. */
export interface CommandEvent {
  serial: string;
  id: string;
  state: CommandState;
}

type Dict = Readonly<Record<string, unknown>>;

export function readTelemetry(payload: unknown): TelemetryEvent | null {
  const event = isDict(payload) ? reading(payload, payload['data']) : null;
  if (!event || !isDict(payload)) return event;
  const { reported, older, connected } = payload;
  return {
    ...event,
    ...(typeof connected === 'boolean' && { connected }),
    ...(isDict(reported) && { reported, older: times(older) }),
  };
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

export function readShadow(payload: unknown): ShadowEvent | null {
  if (!isDict(payload)) return null;
  const { serial, desired, desired_version: version, at } = payload;
  const moment = time(at);
  if (typeof serial !== 'string' || !isDict(desired) || typeof version !== 'number' || moment === null)
    return null;
  return { serial, desired, version, at: moment };
}

const COMMAND_STATES: readonly string[] = ['queued', 'sent', 'acknowledged', 'failed', 'expired'];

export function readCommand(payload: unknown): CommandEvent | null {
  if (!isDict(payload)) return null;
  const { serial, id, state } = payload;
  if (typeof serial !== 'string' || typeof id !== 'string' || !COMMAND_STATES.includes(String(state)))
    return null;
  return { serial, id, state: state as CommandState };
}

function reading(source: Dict, data: unknown): TelemetryEvent | null {
  const { serial, ts, last_seen: lastSeen } = source;
  const at = time(ts);
  if (typeof serial !== 'string' || at === null || !isDict(data)) return null;
  return { serial, ts: at, data, lastSeen: time(lastSeen) };
}

function times(source: unknown): Record<string, number> {
  const entries = Object.entries(isDict(source) ? source : {}).map(([key, at]) => [key, time(at)] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, number] => entry[1] !== null));
}

const time = (value: unknown) => (typeof value === 'string' ? parseTime(value) : null);
const isDict = (value: unknown): value is Dict =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
