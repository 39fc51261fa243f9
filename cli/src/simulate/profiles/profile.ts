import type { Abilities } from '../commands.ts';

/** What a simulated device is: data plus a pure function from a moment to the packet it would send then. */

export type Value = number | boolean | string;
export type Packet = Record<string, Value>;

export const HEATING_MODES = ['auto', 'eco', 'off'] as const;
export type HeatingMode = (typeof HEATING_MODES)[number];

/** What somebody asked the device to do through its shadow; a key that is absent follows the device's own plan. */
export interface Controls {
  relay?: boolean;
  setpoint?: number;
  mode?: HeatingMode;
}

export interface Profile {
  productType: string;
  fwVersion: string;
  /** The packet the untouched device sends at a moment (epoch ms). Pure: same moment, same packet. */
  sample(at: number): Packet;
  /** Bends a sample for controls set on the running device. Called with rising moments only. */
  steer?(packet: Packet, controls: Controls, at: number): Packet;
  /** Which of the desired keys this device knows, brought into its range. Anything else is ignored. */
  accept?(desired: Record<string, unknown>): Controls;
  /** Commands besides those every virtual device knows. */
  commands?: Abilities;
}
