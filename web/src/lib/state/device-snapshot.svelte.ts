import type { Device, DeviceStatus } from '@edgeconductor/sdk';
import { parseTime } from '#lib/format/time.ts';

export interface ValueAt {
  value: unknown;
  /** Epoch ms of the packet that carried it, null when nobody knows. */
  at: number | null;
}

/** News about one device, from any live event or a poll. Times in epoch ms. */
export interface DeviceNews {
  ts?: number | null;
  data?: Readonly<Record<string, unknown>>;
  lastSeen?: number | null;
  connected?: boolean;
  /** The whole reported document; `older` holds the times of keys that are not as old as `ts`. */
  reported?: Readonly<Record<string, unknown>>;
  older?: Readonly<Record<string, number>>;
}

/**
 * One device as screens show it: the newest value per key with its time, and a status that ages by itself. News
 * may arrive twice or out of order (socket and poll overlap); older ones never win.
 */
export class DeviceSnapshot {
  readonly serial: string;
  readonly onlineWindowMs: number;
  #values = $state.raw<ReadonlyMap<string, ValueAt>>(new Map());
  #lastSeen = $state<number | null>(null);
  #connected = $state(false);
  #movedAt = $state(0);
  #door = $state<Device['last_door']>(null);
  #backAt = $state<number | null>(null);

  constructor(device: Device) {
    this.serial = device.serial_no;
    this.onlineWindowMs = device.online_window_s * 1000;
    this.#adopt(device);
    this.#backAt = null;
  }

  get values(): ReadonlyMap<string, ValueAt> {
    return this.#values;
  }

  get lastSeen(): number | null {
    return this.#lastSeen;
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Counts packets taken in; changes when a value moved, so that a card can show that it did. */
  get movedAt(): number {
    return this.#movedAt;
  }

  /** The way its messages come. */
  get door(): Device['last_door'] {
    return this.#door;
  }

  /** When it came back while this page looked on; null as long as it was always there, or is away. */
  get backAt(): number | null {
    return this.#backAt;
  }

  /** It listens: its session at the broker is open, or it asks over HTTPS by itself. */
  isThere(now: number): boolean {
    return this.status(now) === 'online' && (this.#connected || this.#door === 'https');
  }

  status(now: number): DeviceStatus {
    if (this.#lastSeen === null) return 'never_seen';
    return now - this.#lastSeen < this.onlineWindowMs ? 'online' : 'offline';
  }

  /** A value nobody should trust as current: its packet is older than the device's online window. */
  isStale(value: ValueAt, now: number): boolean {
    return value.at === null || now - value.at >= this.onlineWindowMs;
  }

  /** The whole row again, from a poll. */
  refresh(device: Device): void {
    this.#adopt(device);
  }

  apply(news: DeviceNews): void {
    const now = Date.now();
    const wasThere = this.isThere(now);
    if (news.connected !== undefined) this.#connected = news.connected;
    if (news.lastSeen != null && news.lastSeen > (this.#lastSeen ?? 0)) this.#lastSeen = news.lastSeen;
    const { ts, older = {} } = news;
    if (news.reported && ts != null) {
      this.#merge(news.reported, (key) => older[key] ?? ts);
      this.#forget(news.reported, Math.max(ts, news.lastSeen ?? 0));
    } else if (news.data && ts != null) this.#merge(news.data, () => ts);
    if (this.isThere(now) !== wasThere) this.#backAt = wasThere ? null : now;
  }

  #adopt(device: Device): void {
    const reportedAt = parseTime(device.reported_at);
    this.#door = device.last_door;
    this.apply({ lastSeen: parseTime(device.last_seen), connected: device.connected });
    this.#merge(device.shadow_reported, (key) => parseTime(device.older[key]) ?? reportedAt);
    this.#forget(device.shadow_reported, parseTime(device.last_seen) ?? 0);
  }

  /** What a document of that moment no longer holds, the device took out of it. */
  #forget(document: Readonly<Record<string, unknown>>, at: number): void {
    const gone = [...this.#values].filter(
      ([key, value]) => !Object.hasOwn(document, key) && (value.at ?? 0) < at,
    );
    if (gone.length === 0) return;
    const next = new Map(this.#values);
    for (const [key] of gone) next.delete(key);
    this.#values = next;
  }

  #merge(data: Readonly<Record<string, unknown>>, timeOf: (key: string) => number | null): void {
    const next = new Map(this.#values);
    let moved = false;
    for (const [key, value] of Object.entries(data)) {
      const at = timeOf(key);
      const known = next.get(key);
      if (known && (known.at ?? 0) >= (at ?? 0)) continue;
      next.set(key, { value, at });
      moved = true;
    }
    if (!moved) return;
    this.#values = next;
    this.#movedAt += 1;
  }
}
