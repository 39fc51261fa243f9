import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { PUBLIC_KEY } from '../../cli/test/support/image-server.ts';
import { BROKER_KINDS } from './support/brokers.ts';
import { offerFirmware } from './support/firmware.ts';
import { operatorOf } from './support/operator.ts';
import { until } from './support/until.ts';
import { isThere, switchOn } from './support/virtual.ts';
import { createWorld, type World } from './support/world.ts';

const updates = { publicKey: PUBLIC_KEY, installMs: 100 };

const stateOf = async (world: World, job: string): Promise<string> => {
  const [row] = await world.sql<{ state: string }>('select state from public.ota_jobs where id = $1', [job]);
  return row?.state ?? '';
};

it.each(BROKER_KINDS)('%s: an update reaches the device and its reports come back', async (kind) => {
  const world = await createWorld(kind, 2);
  await world.startBridge();
  const operator = await operatorOf(world);
  const firmware = await offerFirmware(world, '1.3.0');
  const running = world.fleet.map((_, i) => switchOn(world, i, { updates }));
  for (const one of running) await isThere(world, one);
  const job = await operator.update(firmware.id, {});
  await until(async () => (await stateOf(world, job)) === 'completed', 'the job is over');
  const rows = await world.sql<{ state: string; fw_version: string }>(
    `select e.state, d.fw_version from public.ota_job_devices e join public.devices d on d.id = e.device_id`,
  );
  expect(rows).toEqual(Array(2).fill({ state: 'succeeded', fw_version: '1.3.0' }));
});

const DEVICES = 60;
const KILLS = 10;

it(`${KILLS} × kill -9 during a job, two bridges at once: every device installs it once, stage after stage`, async () => {
  const world = await createWorld('embedded', DEVICES);
  const bridges = [await world.startBridge(), await world.startBridge()];
  const operator = await operatorOf(world);
  const firmware = await offerFirmware(world, '1.3.0');
  const running = world.fleet.map((_, i) => switchOn(world, i, { updates }));
  for (const one of running) await isThere(world, one);
  const job = await operator.update(firmware.id, {
    stages: Array.from({ length: 10 }, (_, n) => ({ percent: (n + 1) * 10 })),
  });
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(Math.random() * 300); // the random moment is the point
    await bridges.shift()?.kill();
    // What the dead bridge had claimed is nobody's any more, as after its 30 seconds.
    await world.sql('update ec.mqtt_outbox set claimed_until = now() where sent_at is null');
    bridges.push(await world.startBridge());
    if (kill === 0) expect(await stateOf(world, job)).toBe('running');
  }
  await until(async () => (await stateOf(world, job)) === 'completed', 'the job is over', 120_000);
  const rows = await world.sql<{ serial: string; state: string; attempt: number; states: string[] }>(
    `select e.serial, e.state, e.attempt,
       (select array_agg(v.state order by v.id) from public.ota_events v where v.job_device_id = e.id
          and v.detail ->> 'event' is null) as states
     from public.ota_job_devices e where e.job_id = $1`,
    [job],
  );
  expect(rows).toHaveLength(DEVICES);
  const ORDER = ['queued', 'sent', 'downloading', 'installing', 'rebooting', 'succeeded'];
  for (const { state, attempt, states } of rows) {
    expect({ state, attempt }).toEqual({ state: 'succeeded', attempt: 1 });
    const steps = states.map((one) => ORDER.indexOf(one));
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
  }
  for (const { events, device } of running) {
    const installed = events.filter(
      ({ kind, detail }) => kind === 'updating' && (detail as { state: string }).state === 'installed',
    );
    expect([device.serial, device.version, installed.length]).toEqual([device.serial, '1.3.0', 1]);
  }
  // Whatever was said twice, nobody fetched it twice.
  expect(firmware.images.ranges).toHaveLength(DEVICES);
}, 240_000);
