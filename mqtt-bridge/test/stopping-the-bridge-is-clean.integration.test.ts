import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { BROKER_KINDS } from './support/brokers.ts';
import { Load } from './support/devices.ts';
import { compare, storedAtLeast } from './support/stored.ts';
import { createWorld } from './support/world.ts';

it.each(BROKER_KINDS)(
  '%s: SIGTERM under load flushes, acknowledges and ends within 5 s',
  async (kind) => {
    const world = await createWorld(kind, 50);
    let bridge = await world.startBridge();
    const load = new Load(await world.connectAll(), 300);
    let slowest = 0;
    for (let round = 0; round < 3; round++) {
      await sleep(300);
      const { code, ms } = await bridge.stop();
      expect(code).toBe(0);
      expect(ms).toBeLessThan(5_500);
      slowest = Math.max(slowest, ms);
      expect(bridge.logs.at(-1)).toMatchObject({ msg: 'stopped' });
      bridge = await world.startBridge();
    }
    await load.stop();
    const stored = await storedAtLeast(world.database.url(), load.acknowledged.size);
    expect(compare(load.acknowledged, stored)).toEqual({ lost: 0, doubled: 0, strange: 0 });
    // On a machine too busy to flush in time the broker sends the rest again, and it is recognised.
    if (slowest < 3_000) expect(await bridge.metric('ec_bridge_duplicate_total')).toBe(0);
  },
  90_000,
);

it('stops within 5 s although the database is away, leaving the rest to the broker', async () => {
  const world = await createWorld('embedded', 5);
  const bridge = await world.startBridge();
  const load = new Load(await world.connectAll(), 200);
  const { pid, name } = { pid: 'pid', name: world.database.name };
  await world.sql(`alter role ec_bridge in database ${name} set default_transaction_read_only = on`);
  await world.sql(
    `select pg_terminate_backend(${pid}) from pg_stat_activity where usename = 'ec_bridge' and datname = $1`,
    [name],
  );
  await sleep(500);
  const { code, ms } = await bridge.stop();
  expect({ code, quick: ms < 6_000 }).toEqual({ code: 0, quick: true });
  await load.stop();
  await world.sql(`alter role ec_bridge in database ${name} reset default_transaction_read_only`);
  await world.startBridge();
  const stored = await storedAtLeast(world.database.url(), load.acknowledged.size);
  expect(compare(load.acknowledged, stored)).toEqual({ lost: 0, doubled: 0, strange: 0 });
}, 60_000);

it('says on /health, on /metrics and in the database how it is', async () => {
  const world = await createWorld('embedded', 1);
  const bridge = await world.startBridge({ EC_BRIDGE_NAME: 'one' });
  expect(await bridge.health()).toEqual({ status: 200, body: { ok: true, ingest: true, relay: true } });
  const [device] = await world.connectAll();
  await device?.client.publishAsync(`devices/${device.serial}/telemetry`, '{"temp":1}', { qos: 1 });
  await device?.client.publishAsync(`devices/${device.serial}/telemetry`, 'nonsense', { qos: 1 });
  await storedAtLeast(world.database.url(), 1);
  expect(await bridge.metric('ec_bridge_accepted_total')).toBe(1);
  expect(await bridge.metric('ec_bridge_refused_total')).toBe(1);
  expect(await bridge.metric('ec_bridge_commit_seconds_count')).toBeGreaterThanOrEqual(2);
  expect(await bridge.metric('ec_bridge_unacked')).toBe(0);
  expect(await bridge.metric('ec_bridge_buffered')).toBe(0);
  const beats = await world.sql<{ source: string }>(
    'select source from ec.heartbeats where beat_at is not null',
  );
  expect(beats).toEqual([{ source: 'bridge:one' }]);
});
