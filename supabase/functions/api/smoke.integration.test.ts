import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi, type TestApi } from '../test/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.stop());

it('smoke', async () => {
  console.log(await api.get('/health'));
  const admin = await api.tokenOf(api.world.admin);
  for (const path of [
    '/me',
    '/devices',
    '/devices/acme-001',
    '/orgs',
    '/product-types',
    `/orgs/${api.world.org.id}/overview`,
    `/orgs/${api.world.org.id}/rooms`,
    `/orgs/${api.world.org.id}/locations`,
    `/orgs/${api.world.org.id}/audit`,
    `/orgs/${api.world.org.id}/dead-letters`,
    '/devices/acme-001/credentials',
    '/partners',
    `/partners/${api.world.partner}/stats`,
    `/partners/${api.world.partner}/orgs`,
  ]) {
    const r = await api.get(path, admin);
    console.log(path, r.status, r.text.slice(0, 600));
  }
  const key = await api.apiKey(['read', 'write', 'provision']);
  const reg = await api.call('POST', '/devices/register', {
    as: key,
    body: { serial: 'EC-1', productType: 'tracker' },
  });
  console.log(reg.status, reg.body);
  const secret = reg.body.mqtt_password;
  for (const body of [{ temp: 1 }, [{ temp: 2 }, { temp: 'x', __proto__x: 1 }], '[]']) {
    const r = await api.call('POST', '/devices/EC-1/telemetry', { as: secret, body });
    console.log(r.status, r.text);
  }
  console.log((await api.call('GET', '/devices/EC-1/commands', { as: secret })).text);
  console.log(
    (await api.call('POST', '/devices/EC-1/shadow/reported', { as: secret, body: { relay: true } })).text,
  );
  console.log((await api.call('POST', '/devices/EC-1/telemetry', { as: key, body: { temp: 1 } })).text);
  console.log((await api.call('GET', '/devices/EC-1', { as: key })).text);
  console.log((await api.call('POST', '/live/token', { as: key, body: { topics: ['device:EC-1'] } })).text);
  console.log(api.log.slice(-5));
});
