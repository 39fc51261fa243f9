import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { BROKER_KINDS } from './support/brokers.ts';
import { Load } from './support/devices.ts';
import { compare, storedAtLeast } from './support/stored.ts';
import { until } from './support/until.ts';
import { createWorld } from './support/world.ts';

it.each(BROKER_KINDS)(
  '%s: of two bridges one works and the other takes over within seconds',
  async (kind) => {
    const world = await createWorld(kind, 40);
    const first = await world.startBridge();
    const second = await world.startBridge();
    expect(await first.metric('ec_bridge_leading')).toBe(1);
    expect(await second.metric('ec_bridge_leading')).toBe(0);
    const load = new Load(await world.connectAll(), 300);
    await sleep(500);
    expect(await second.metric('ec_bridge_received_total')).toBe(0);
    await first.kill();
    const from = performance.now();
    await until(async () => (await second.metric('ec_bridge_received_total')) > 0, 'the standby works');
    expect(performance.now() - from).toBeLessThan(5_000);
    const third = await world.startBridge();
    await sleep(500);
    await second.stop();
    await until(async () => (await third.metric('ec_bridge_received_total')) > 0, 'the next one works');
    await load.stop();
    const stored = await storedAtLeast(world.database.url(), load.acknowledged.size);
    expect(compare(load.acknowledged, stored)).toEqual({ lost: 0, doubled: 0, strange: 0 });
  },
  90_000,
);
