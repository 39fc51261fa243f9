import type { Device } from '@edgeconductor/sdk';
import { createSubscriber } from 'svelte/reactivity';
import { DeviceSnapshot } from './device-snapshot.svelte.ts';
import { readFleet, readPresence } from './live-events.ts';
import type { LiveHub } from './live-hub.svelte.ts';

export interface FleetDoors {
  /** The rows on the screen, fetched again; called by polling. */
  fetchRows(): Promise<readonly Device[]>;
  /** Something changed that the rows alone cannot show: counts, exceptions, a device nobody knew. */
  onChange(): void;
}

/** The devices of an org that are on the screen; live as long as a component reads them. */
export class FleetLive {
  #snapshots: Map<string, DeviceSnapshot>;
  #subscribe: () => void;
  #doors: FleetDoors;

  constructor(orgId: string, rows: readonly Device[], hub: LiveHub, doors: FleetDoors) {
    this.#doors = doors;
    this.#snapshots = new Map(rows.map((row) => [row.serial_no, new DeviceSnapshot(row)]));
    this.#subscribe = createSubscriber(() =>
      hub.watch(`org:${orgId}`, {
        event: (name, payload) => this.#event(name, payload),
        poll: () => this.#poll(),
      }),
    );
  }

  /** Null for a serial that was not among the rows. */
  device(serial: string): DeviceSnapshot | null {
    this.#subscribe();
    return this.#snapshots.get(serial) ?? null;
  }

  #event(name: string, payload: unknown): void {
    if (name === 'fleet') {
      for (const news of readFleet(payload)) this.#snapshots.get(news.serial)?.apply(news);
    }
    const presence = name === 'presence' ? readPresence(payload) : null;
    if (!presence) return;
    this.#snapshots.get(presence.serial)?.apply({ connected: presence.connected });
    this.#doors.onChange();
  }

  async #poll(): Promise<void> {
    for (const row of await this.#doors.fetchRows()) this.#snapshots.get(row.serial_no)?.refresh(row);
    this.#doors.onChange();
  }
}
