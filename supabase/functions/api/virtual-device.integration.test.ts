import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { HttpsDoor, tracker, VirtualDevice } from '../../../cli/src/simulate/index.ts';
import type { DeviceEvent, Profile } from '../../../cli/src/simulate/index.ts';
import { until } from '../../../mqtt-bridge/test/support/until.ts';
import { startApi, type TestApi } from '../test/api.ts';

let api: TestApi;
let key: string;
beforeAll(async () => {
  api = await startApi();
  await api.db.query(`update public.orgs set plan = 'enterprise'`);
  key = await api.apiKey(['read', 'write', 'provision']);
});
afterAll(() => api?.stop());

/** A tracker with a relay, which speaks HTTPS alone. */
async function switchOn(serial: string): Promise<{ device: VirtualDevice; events: DeviceEvent[] }> {
  const secret = await api.device(serial, key, 'tracker');
  const base = tracker({ serial, plan: 'van', zone: 'Europe/Berlin' });
  const profile: Profile = {
    ...base,
    accept: ({ relay }) => (typeof relay === 'boolean' ? { relay } : {}),
    steer: (packet, { relay }) => (relay === undefined ? packet : { ...packet, relay }),
  };
  const events: DeviceEvent[] = [];
  const device = new VirtualDevice({
    ...{ serial, profile, intervalS: 0.1, clock: true },
    door: (listeners) => new HttpsDoor({ url: api.url, serial, secret, pollS: 0.2 }, listeners),
    onEvent: (event) => events.push(event),
  });
  onTestFinished(() => device.stop());
  device.start();
  await until(() => device.counters.delivered > 0, 'the device sends');
  return { device, events };
}

it('a device that speaks HTTPS alone does what is desired and says so', async () => {
  await switchOn('EC-V1');
  const asked = await api.call('PATCH', '/devices/EC-V1/shadow/desired', { as: key, body: { relay: true } });
  expect(asked.body.delta).toEqual({ relay: true });
  await until(
    async () => (await api.get('/devices/EC-V1', key)).body.shadow_reported.relay === true,
    'it is confirmed',
  );
});

it('it gets a command with its next packet and answers once', async () => {
  const { events } = await switchOn('EC-V2');
  const sent = await api.call('POST', '/devices/EC-V2/commands', {
    as: key,
    body: { type: 'ping', payload: 3 },
  });
  const read = async (): Promise<Record<string, unknown>> =>
    (await api.get(`/devices/EC-V2/commands/${sent.body.id}`, key)).body;
  await until(async () => (await read())['state'] === 'acknowledged', 'it is answered');
  expect(await read()).toMatchObject({ result: { pong: 3 }, sent_door: 'https' });
  expect(events.filter(({ kind }) => kind === 'commanded')).toHaveLength(1);
});

it('it restarts once by 205 and comes back with the reason', async () => {
  const { device, events } = await switchOn('EC-V3');
  const sent = await api.call('POST', '/devices/EC-V3/reboot', { as: key });
  await until(async () => {
    const { shadow_reported: reported } = (await api.get('/devices/EC-V3', key)).body;
    return reported.reboot_reason === 'SW' && reported.uptime < 10;
  }, 'it is back');
  const { body } = await api.get(`/devices/EC-V3/commands/${sent.body.id}`, key);
  expect(body).toMatchObject({ state: 'acknowledged', sent_door: 'https' });
  const { delivered } = device.counters;
  await until(() => device.counters.delivered > delivered + 5, 'it goes on');
  expect(events.filter(({ kind }) => kind === 'restarted')).toHaveLength(1);
});
