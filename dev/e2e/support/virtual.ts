import { readFileSync } from 'node:fs';
import { inject, onTestFinished, vi } from 'vitest';
import { climateNode, MqttDoor, VirtualDevice } from '../../../cli/src/simulate/index.ts';
import { callApi, registerDevice } from './device.ts';

export interface Running {
  serial: string;
  device: VirtualDevice;
  /** What the platform says of it. */
  row(): Promise<DeviceRow>;
}

export interface DeviceRow {
  status: string;
  connected: boolean;
  shadow_desired: Record<string, unknown>;
  shadow_reported: Record<string, unknown>;
}

/** A virtual climate node in that person's org, on MQTT over TLS, that has been heard; stopped when the test ends. */
export async function switchOn(email: string): Promise<Running> {
  const { serial, secret } = await registerDevice(email);
  return run(email, serial, secret);
}

/** Runs a device that is registered already. */
export async function run(email: string, serial: string, password: string): Promise<Running> {
  const { mqtts_url: url, mqtts_ca } = inject('world');
  const access = { url, serial, password, ca: readFileSync(mqtts_ca, 'utf8') };
  const device = new VirtualDevice({
    serial,
    intervalS: 1,
    profile: climateNode({ serial, room: 'office', zone: 'Europe/Berlin' }),
    door: (listeners) => new MqttDoor(access, listeners),
  });
  device.start();
  onTestFinished(() => device.stop());
  const row = (): Promise<DeviceRow> => callApi<DeviceRow>(email, 'GET', `/devices/${serial}`);
  await vi.waitFor(
    async () => {
      if (Object.keys((await row()).shadow_reported).length === 0) throw new Error(`${serial} is silent.`);
    },
    { timeout: 20_000, interval: 200 },
  );
  return { serial, device, row };
}

/** It says goodbye and is gone, and the platform knows. */
export async function leave({ serial, device, row }: Running): Promise<void> {
  await device.stop();
  await vi.waitFor(
    async () => {
      if ((await row()).connected) throw new Error(`${serial} is still there.`);
    },
    { timeout: 10_000, interval: 100 },
  );
}
