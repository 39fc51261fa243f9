import type { Device } from '@edgeconductor/sdk';
import { createSubscriber } from 'svelte/reactivity';
import { DeviceSnapshot } from './device-snapshot.svelte.ts';
import { readPresence, readTelemetry } from './live-events.ts';
import type { LiveHub } from './live-hub.svelte.ts';

export interface Packet {
  ts: number;
  data: Readonly<Record<string, unknown>>;
}

const KEPT_PACKETS = 720;

/** One device with every packet; live as long as a component reads it. */
export class DeviceLive {
  readonly snapshot: DeviceSnapshot;
  #packets = $state.raw<readonly Packet[]>([]);
  #subscribe: () => void;

  constructor(device: Device, hub: LiveHub, fetchDevice: () => Promise<Device>) {
    this.snapshot = new DeviceSnapshot(device);
    this.#subscribe = createSubscriber(() =>
      hub.watch(`device:${device.serial_no}`, {
        event: (name, payload) => this.#event(name, payload),
        poll: async () => this.snapshot.refresh(await fetchDevice()),
      }),
    );
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
      this.snapshot.apply({ ts: telemetry.ts, data: telemetry.data, lastSeen: telemetry.lastSeen });
      this.#packets = [...this.#packets.slice(1 - KEPT_PACKETS), { ts: telemetry.ts, data: telemetry.data }];
    }
    const presence = name === 'presence' ? readPresence(payload) : null;
    if (presence?.serial === this.snapshot.serial) this.snapshot.apply({ connected: presence.connected });
  }
}
