import { readFileSync } from 'node:fs';
import {
  Fleet,
  HttpsDoor,
  MqttDoor,
  VirtualDevice,
  type DeviceEvent,
} from '../../../cli/src/simulate/index.ts';
import { beatOf, profileOf } from './board.ts';
import type { FlashFile } from './flash-file.ts';
import { DEVICES, productType, type DemoDevice } from './plan.ts';
import type { SecretFile } from './secret-file.ts';
import type { MakerKeys } from './updates.ts';

export interface LiveAddress {
  api_url: string;
  mqtts_url: string;
  /** Path of the broker's CA certificate. */
  mqtts_ca: string;
}

/** What the devices were given in the factory and what they keep. */
export interface Boards {
  secrets: SecretFile;
  flash: FlashFile;
  keys: MakerKeys;
}

/** Switches the demo devices on: climate nodes over MQTT with TLS, trackers over HTTPS with their own clock. */
export function startLive(
  address: LiveAddress,
  boards: Boards,
  onEvent: (event: DeviceEvent) => void,
): Fleet {
  const ca = readFileSync(address.mqtts_ca, 'utf8');
  const devices = DEVICES.filter((device) => !device.unused && device.silentForH === undefined).map(
    (device) => switchedOn(device, address, ca, boards, onEvent),
  );
  const fleet = new Fleet(devices);
  fleet.start();
  return fleet;
}

function switchedOn(
  device: DemoDevice,
  address: LiveAddress,
  ca: string,
  { secrets, flash, keys }: Boards,
  onEvent: (event: DeviceEvent) => void,
): VirtualDevice {
  const { serial } = device;
  const secret = secrets.get(serial);
  if (!secret) throw new Error(`the secret of ${serial} is not known`);
  const profile = profileOf(device);
  return new VirtualDevice({
    ...{ serial, profile },
    updates: {
      flash: flash.of(serial, profile.fwVersion),
      publicKey: () => keys.get(`${device.org}/${productType(device)}`),
    },
    intervalS: beatOf(device),
    ...(device.faults ? { faults: device.faults } : {}),
    // GPS tells a tracker the time; a climate node has no clock worth sending.
    clock: device.tracker !== undefined,
    onEvent,
    door: (events) =>
      device.tracker
        ? new HttpsDoor({ url: address.api_url, serial, secret }, events)
        : new MqttDoor({ url: address.mqtts_url, serial, password: secret, ca }, events),
  });
}
