import { setTimeout as sleep } from 'node:timers/promises';
import { sameValue } from '@edgeconductor/sdk/contract';
import { expect, it } from 'vitest';
import { operatorOf } from './support/operator.ts';
import { until } from './support/until.ts';
import { allSent, isThere, reportedOf, switchOn } from './support/virtual.ts';
import { createWorld } from './support/world.ts';

const DEVICES = 20;
const ROUNDS = 50;
const KILLS = 10;

it(`1,000 changes over ${KILLS} × kill -9 of the bridge: none is lost, no device goes back, all end as desired`, async () => {
  const world = await createWorld('embedded', DEVICES);
  let bridge = await world.startBridge();
  const operator = await operatorOf(world);
  const running = world.fleet.map((_, i) => switchOn(world, i));
  for (const one of running) await isThere(world, one);
  const kills = (async () => {
    for (let kill = 0; kill < KILLS; kill++) {
      await sleep(Math.random() * 300); // the random moment is the point
      await bridge.kill();
      bridge = await world.startBridge();
    }
  })();
  for (let round = 1; round <= ROUNDS; round++)
    for (const { serial } of world.fleet)
      await operator.setDesired(serial, { relay: round % 2 === 0, setpoint: 10 + round / 5 });
  await kills;
  const last = { relay: ROUNDS % 2 === 0, setpoint: 10 + ROUNDS / 5 };
  await until(
    async () => {
      const all = await Promise.all(world.fleet.map(({ serial }) => reportedOf(world, serial)));
      return all.every((reported) =>
        Object.entries(last).every(([key, value]) => sameValue(reported[key], value)),
      );
    },
    'every device is as desired',
    90_000,
  );
  await allSent(world);
  const sent = await world.sql<{ serial: string; versions: number[] }>(
    `select serial, array_agg((payload::json ->> 'version')::int order by id) as versions from ec.mqtt_outbox
     where topic like '%/shadow/document' and payload::json ->> 'version' <> '0' group by serial`,
  );
  for (const { versions } of sent) {
    expect(new Set(versions).size).toBe(ROUNDS);
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
  }
  // What a device obeyed, in its order: every step is a newer version than the one before.
  for (const { events } of running) {
    const setpoints = events
      .filter(({ kind }) => kind === 'controlled')
      .map(({ detail }) => (detail as { setpoint?: number }).setpoint ?? 0);
    expect(setpoints).toEqual(setpoints.toSorted((a, b) => a - b));
  }
}, 240_000);
