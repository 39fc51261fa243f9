import type { Device } from '@edgeconductor/sdk';
import { createSubscriber } from 'svelte/reactivity';
import { DeviceSnapshot } from './device-snapshot.svelte.ts';
import { DesiredLive } from './desired-live.svelte.ts';
import { readPresence, readShadow, readTelemetry } from './live-events.ts';
import type { LiveHub } from './live-hub.svelte.ts';
import type { Watch } from './live-seat.ts';

export interface Packet {
  ts: number;
  data: Readonly<Record<string, unknown>>;
}

const KEPT_PACKETS = 720;

/** One device with every packet; live as long as a component reads it. */
export class DeviceLive {
  readonly snapshot: DeviceSnapshot;
  readonly desired: DesiredLive;
  /** How its news come in. */
  readonly watch: Watch;
  #packets = $state.raw<readonly Packet[]>([]);
  /** It says itself when it comes and goes. */
  #announces = false;
  #subscribe: () => void;
  #listeners = new Map<string, Set<(payload: unknown) => void>>();

  constructor(device: Device, hub: LiveHub, fetchDevice: () => Promise<Device>) {
    this.snapshot = new DeviceSnapshot(device);
    this.desired = new DesiredLive(device);
    this.watch = {
      event: (name, payload) => this.#event(name, payload),
      poll: async () => this.#refresh(await fetchDevice()),
    };
    this.#subscribe = createSubscriber(() => hub.watch(`device:${device.serial_no}`, this.watch));
  }

  /** Every further event of the device's topic, as long as something looks at `current`; `poll` has no payload and
   *  comes when news may have been missed. Returns the function that stops it. */
  on(name: string, listener: (payload: unknown) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** The snapshot, and the wish to keep it live. */
  get current(): DeviceSnapshot {
    this.#subscribe();
    return this.snapshot;
  }

  /** Packets since the page opened, oldest first; an hour of them at most. */
  get packets(): readonly Packet[] {
    this.#subscribe();
    return this.#packets;
  }

  #event(name: string, payload: unknown): void {
    const telemetry = name === 'telemetry' ? readTelemetry(payload) : null;
    if (telemetry) {
      // A packet's message may have been written before the goodbye it arrives after.
      const { connected, ...news } = telemetry;
      this.snapshot.apply(connected === undefined || this.#announces ? news : telemetry);
      this.#packets = [...this.#packets.slice(1 - KEPT_PACKETS), { ts: telemetry.ts, data: telemetry.data }];
    }
    const presence = name === 'presence' ? readPresence(payload) : null;
    if (presence?.serial === this.snapshot.serial) {
      this.#announces = true;
      this.snapshot.apply({ connected: presence.connected });
    }
    const shadow = name === 'shadow' ? readShadow(payload) : null;
    if (shadow?.serial === this.snapshot.serial) this.desired.hear(shadow);
    this.#tell(name, payload);
  }

  #refresh(device: Device): void {
    this.snapshot.refresh(device);
    this.desired.refresh(device);
    this.#tell('poll');
  }

  #tell(name: string, payload?: unknown): void {
    for (const listener of this.#listeners.get(name) ?? []) listener(payload);
  }
}
