import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { EdgeConductor } from '@edgeconductor/sdk';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { climateNode, MqttDoor, VirtualDevice } from '../../cli/src/simulate/index.ts';
import type { DeviceEvent } from '../../cli/src/simulate/index.ts';
import { until } from '../../mqtt-bridge/test/support/until.ts';
import { startStack, type TestStack } from './testing.ts';

let stack: TestStack;
let ec: EdgeConductor;
const devices: VirtualDevice[] = [];

beforeAll(async () => {
  stack = await startStack({ only: ['api', 'broker', 'bridge'] });
  const db = new pg.Client({ connectionString: stack.facts.db_url! });
  await db.connect();
  const apiKey = `ec_live_${randomBytes(24).toString('base64url')}`;
  await db.query(
    `with org as (insert into public.orgs (name, slug, plan) values ('Acme', 'acme', 'enterprise') returning id)
     insert into public.api_keys (org_id, name, prefix, key_sha256, scopes)
     select id, 'test', 'ec_live_test', $1, '{read,write,provision}' from org`,
    [createHash('sha256').update(apiKey).digest()],
  );
  await db.end();
  ec = new EdgeConductor({ apiKey, baseUrl: stack.facts.api_url! });
});
afterAll(async () => {
  await Promise.all(devices.map((device) => device.stop()));
  await stack?.stop();
});

/** Registered over the API, connected over TLS, as a real one. */
async function switchOn(serial: string): Promise<{ device: VirtualDevice; events: DeviceEvent[] }> {
  const { mqtt_password } = await ec.devices.register({ serial, productType: 'EC-CLIMATE-V1' });
  const { mqtts_url: url, mqtts_ca } = stack.facts;
  const events: DeviceEvent[] = [];
  const device = new VirtualDevice({
    ...{ serial, intervalS: 0.5, profile: climateNode({ serial, room: 'office', zone: 'Europe/Berlin' }) },
    door: (listeners) =>
      new MqttDoor(
        { url: url!, serial, password: mqtt_password!, ca: readFileSync(mqtts_ca!, 'utf8') },
        listeners,
      ),
    onEvent: (event) => events.push(event),
  });
  devices.push(device);
  device.start();
  await until(async () => (await ec.devices.get(serial)).status === 'online', 'the device is online');
  return { device, events };
}

describe('the whole way from the button to the device and back', () => {
  it('a change arrives in a moment, is done and confirmed by telemetry', async () => {
    const { device, events } = await switchOn('EC-W-1');
    const does = (setpoint: number): boolean =>
      events.some(
        ({ kind, detail }) =>
          kind === 'controlled' && (detail as { setpoint?: number }).setpoint === setpoint,
      );
    const times: number[] = [];
    for (let n = 1; n <= 20; n++) {
      const from = performance.now();
      const { desired_version } = await ec.devices.setDesired('EC-W-1', { setpoint: 15 + n / 2 });
      await until(() => does(15 + n / 2), 'the device does it');
      times.push(performance.now() - from);
      expect(desired_version).toBe(n);
    }
    times.sort((a, b) => a - b);
    // Polling would take seconds; the numbers of an idle machine are in the benches.
    expect(times[10]).toBeLessThan(1_000);
    // The next packets alone say it, too.
    const { delivered } = device.counters;
    await until(() => device.counters.delivered > delivered + 1, 'it sends');
    await until(async () => (await ec.devices.getShadow('EC-W-1'))['setpoint'] === 25, 'it is confirmed');
    expect((await ec.devices.setDesired('EC-W-1', {})).delta).toEqual({});
  });

  it('the device does and confirms everything its product type has a control for', async () => {
    await switchOn('EC-W-4');
    const types = await ec.productTypes.list();
    const { controls } = types.find(({ key }) => key === 'EC-CLIMATE-V1')!;
    expect(controls.map(({ kind }) => kind).toSorted()).toEqual(['boolean', 'enum', 'number']);
    for (const control of controls) {
      const values = {
        boolean: [true, false],
        number: [control.min_value, control.max_value],
        enum: control.options.map(({ value }) => value),
        text: ['open', 'closed'],
      }[control.kind];
      for (const value of values) {
        await ec.devices.setDesired('EC-W-4', { [control.key]: value });
        await until(
          async () => (await ec.devices.getShadow('EC-W-4'))[control.key] === value,
          `${control.key} is ${String(value)}`,
        );
      }
    }
  });

  it('what an absent device should be, it is on its return', async () => {
    const { device } = await switchOn('EC-W-2');
    await device.stop();
    await until(async () => !(await ec.devices.get('EC-W-2')).connected, 'it is gone');
    const { delta } = await ec.devices.setDesired('EC-W-2', { setpoint: 29 });
    expect(delta).toEqual({ setpoint: 29 });
    const { id } = await ec.commands.send('EC-W-2', { type: 'ping' });
    device.start();
    await until(async () => (await ec.devices.getShadow('EC-W-2'))['setpoint'] === 29, 'it is confirmed');
    await until(
      async () => (await ec.commands.get('EC-W-2', id)).state === 'acknowledged',
      'it is answered at once',
    );
  });

  it('a reboot restarts it once, and it says why', async () => {
    const { events } = await switchOn('EC-W-3');
    const { id } = await ec.devices.reboot('EC-W-3');
    await until(
      async () =>
        (await ec.devices.getShadow('EC-W-3'))['reboot_reason'] === 'SW' &&
        events.some(({ kind }) => kind === 'restarted'),
      'it is back',
    );
    expect(await ec.commands.get('EC-W-3', id)).toMatchObject({ state: 'acknowledged', sent_door: 'mqtt' });
    expect(events.filter(({ kind }) => kind === 'restarted')).toHaveLength(1);
  });
});
