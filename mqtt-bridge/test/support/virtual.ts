import { onTestFinished } from 'vitest';
import { climateNode, MqttDoor, VirtualDevice } from '../../../cli/src/simulate/index.ts';
import type { DeviceEvent, VirtualDeviceOptions } from '../../../cli/src/simulate/index.ts';
import { until } from './until.ts';
import type { World } from './world.ts';

export interface Running {
  device: VirtualDevice;
  events: DeviceEvent[];
  /** How often it did something of that type. */
  effects(type: string): number;
}

/** A device of the world as a virtual one that just came up; gone when the test is over. */
export function switchOn(world: World, index = 0, more: Partial<VirtualDeviceOptions> = {}): Running {
  const { serial, secret } = world.fleet[index]!;
  const events: DeviceEvent[] = [];
  const device = new VirtualDevice({
    ...{ serial, intervalS: 0.2, profile: climateNode({ serial, room: 'office', zone: 'Europe/Berlin' }) },
    door: (listeners) => new MqttDoor({ url: world.broker.url, serial, password: secret }, listeners),
    onEvent: (event) => events.push(event),
    ...more,
  });
  onTestFinished(() => device.stop());
  device.start();
  const effects = (type: string): number =>
    events.filter(({ kind, detail }) => kind === 'commanded' && (detail as { type: string }).type === type)
      .length;
  return { device, events, effects };
}

export async function isThere(world: World, { device }: Running): Promise<void> {
  await until(() => device.counters.delivered > 0, 'the device sends');
  await until(async () => Object.keys(await reportedOf(world, device.serial)).length > 0, 'it is known');
}

export async function reportedOf(world: World, serial: string): Promise<Record<string, unknown>> {
  const [row] = await world.sql<{ reported: Record<string, unknown> }>(
    'select reported from public.device_state where serial = $1',
    [serial],
  );
  return row?.reported ?? {};
}

/** Resolves when the broker has acknowledged everything that was written for devices. */
export async function allSent(world: World): Promise<void> {
  await until(async () => {
    const [row] = await world.sql<{ n: number }>(
      'select count(*)::int as n from ec.mqtt_outbox where sent_at is null',
    );
    return row?.n === 0;
  }, 'the broker has everything');
}
