import type { Device } from '@edgeconductor/sdk';
import { createContext } from 'svelte';
import type { DeviceLive } from '#lib/state/device-live.svelte.ts';
import type { DeviceUpdate } from '#lib/state/device-update.svelte.ts';

export interface DeviceContext {
  readonly device: Device;
  live: DeviceLive;
  update: DeviceUpdate;
}

/** The device of this page and its live state, for every section. */
export const [getDevice, setDevice] = createContext<DeviceContext>();
