import { climateNode, tracker, type Profile } from '../../../cli/src/simulate/index.ts';
import { type DemoDevice, ZONE } from './plan.ts';

/** Seconds between two packets of a running demo device. */
export function beatOf(device: DemoDevice): number {
  return device.tracker ? 15 : 5;
}

/** The profile behind a demo device: the same one writes its history and then sends live. */
export function profileOf(device: DemoDevice): Profile {
  const { serial } = device;
  if (device.tracker) return tracker({ serial, zone: ZONE, ...device.tracker });
  if (device.climate) return climateNode({ serial, zone: ZONE, ...device.climate });
  throw new Error(`${serial} is neither a climate node nor a tracker`);
}
