import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { BROKER_KINDS } from './support/brokers.ts';
import { Load } from './support/devices.ts';
import { compare, storedAtLeast } from './support/stored.ts';
import { createWorld } from './support/world.ts';

const KILLS = 10;
const PER_SECOND = 500;

it.each(BROKER_KINDS)(
  `%s: every acknowledged packet is stored once over ${KILLS} × kill -9 under load, without ts or seq`,
  async (kind) => {
    const world = await createWorld(kind, 100);
    let bridge = await world.startBridge();
    const load = new Load(await world.connectAll(), PER_SECOND);
    for (let kill = 0; kill < KILLS; kill++) {
      await sleep(100 + Math.random() * 500); // the random moment is the point
      await bridge.kill();
      bridge = await world.startBridge();
    }
    await load.stop();
    const stored = await storedAtLeast(world.database.url(), load.acknowledged.size);
    expect(load.acknowledged.size).toBeGreaterThan(KILLS * 100);
    expect(compare(load.acknowledged, stored)).toEqual({ lost: 0, doubled: 0, strange: 0 });
    expect(await bridge.stop()).toMatchObject({ code: 0 });
  },
  180_000,
);
