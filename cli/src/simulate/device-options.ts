import type { Door, DoorEvents } from './doors/door.ts';
import type { Faults } from './faults.ts';
import type { Profile } from './profiles/profile.ts';
import type { UpdaterOptions } from './updates/updater.ts';

export interface VirtualDeviceOptions {
  serial: string;
  profile: Profile;
  intervalS: number;
  /** Opens the device's door with the listeners it is given. */
  door(events: DoorEvents): Door;
  /** The board knows the time and stamps every packet with `ts`, so that a repeat is told from a new reading. */
  clock?: boolean;
  faults?: Faults;
  /** How many readings wait while there is no way out; the oldest go first when it overflows. */
  backlog?: number;
  /** How it updates itself; without a flash of its own the device begins with the version of its profile. */
  updates?: Partial<UpdaterOptions>;
  /** How long a restart takes, ms. */
  bootMs?: number;
  onEvent?(event: DeviceEvent): void;
}

export interface DeviceEvent {
  kind:
    | 'opened'
    | 'closed'
    | 'refused'
    | 'controlled'
    | 'commanded'
    | 'ordered'
    | 'updating'
    | 'restarted'
    | 'overflow';
  serial: string;
  detail?: unknown;
}

/** Counted since the start; `delivered` is what the platform acknowledged. */
export interface DeviceCounters {
  sampled: number;
  delivered: number;
  dropped: number;
  failed: number;
}
