import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi, type TestApi } from '../../supabase/functions/test/api.ts';
import { ConflictError, EdgeConductor, NotFoundError, PermissionDeniedError } from './index.ts';

let api: TestApi;
let ec: EdgeConductor;
let org: string;
beforeAll(async () => {
  api = await startApi();
  org = api.world.org.id;
  ec = new EdgeConductor({ accessToken: () => api.tokenOf(api.world.orgAdmin), baseUrl: api.url });
});
afterAll(() => api?.stop());

it('a device is registered, measures, and is read back', async () => {
  const registered = await ec.devices.register({
    serial: 'SDK-1',
    productType: 'EC-CLIMATE-V1',
    fw_version: '1.0.0',
  });
  const device = new EdgeConductor({ apiKey: registered.mqtt_password!, baseUrl: api.url });
  expect(await device.telemetry.push('SDK-1', { temp: 20 })).toMatchObject({ ok: true, accepted: 1 });
  const batch = [1, 2, 3].map((n) => ({ temp: n, ts: Date.now() - 10_000 * n }));
  expect(await device.telemetry.push('SDK-1', batch)).toMatchObject({ accepted: 3 });

  expect(await ec.devices.getShadow('SDK-1')).toMatchObject({ temp: 20 });
  expect((await ec.telemetry.history('SDK-1', { hours: 1 })).map((row) => row['temp'])).toEqual([
    3, 2, 1, 20,
  ]);
  expect((await ec.telemetry.recent('SDK-1', 2)).map((row) => row['temp'])).toEqual([1, 20]);
  const { series } = await ec.telemetry.buckets('SDK-1', { hours: 1, metrics: ['temp'] });
  expect(series['temp']?.at(-1)?.[3]).toBe(20);
  expect(await ec.telemetry.csv('SDK-1', { hours: 1 })).toMatch(/^timestamp,temp\r\n/);

  const seen: unknown[] = [];
  const watch = ec.telemetry.stream('SDK-1', (row) => seen.push(row['temp']), { intervalMs: 20 });
  await expect.poll(() => seen).toEqual([20]);
  await device.telemetry.push('SDK-1', { temp: 21 });
  await expect.poll(() => seen).toEqual([20, 21]);
  watch.stop();
});

it('rooms, assignment, keys, audit, dead letters and live leases work as written', async () => {
  const room = await ec.orgs.createRoom(org, { name: 'R1', floor: '1', building: 'Main' });
  expect((await ec.orgs.rooms(org)).map((one) => one.name)).toContain('R1');
  await ec.devices.register({ serial_no: 'SDK-2', product_type: 'tracker' });
  expect(await ec.devices.assign('SDK-2', { roomId: room.id })).toMatchObject({
    location_id: room.id,
    room_path: 'Main · 1 · R1',
  });
  expect((await ec.devices.list({ tenantId: room.id })).map((device) => device.serial_no)).toEqual(['SDK-2']);

  const { key, id } = await ec.apiKeys.generate(org, 'reader', { scopes: ['read'] });
  const reader = new EdgeConductor({ apiKey: key, baseUrl: api.url });
  expect(await reader.me()).toMatchObject({ kind: 'api_key', org_id: org });
  await expect(reader.devices.delete('SDK-2')).rejects.toBeInstanceOf(PermissionDeniedError);
  await ec.apiKeys.revoke(id);
  expect((await ec.apiKeys.list(org)).find((one) => one.id === id)?.revoked_at).toBeTruthy();

  const rotated = await ec.credentials.rotate('SDK-2', { overlapS: 0 });
  const device = new EdgeConductor({ apiKey: rotated.mqtt_password, baseUrl: api.url });
  expect(await device.telemetry.push('SDK-2', [{ '1bad': 1 }, { ok: 1 }])).toMatchObject({
    accepted: 1,
    rejected: 1,
  });
  expect(await ec.deadLetters.list(org, { serial: 'SDK-2' })).toMatchObject([{ reason: 'bad_key' }]);
  expect(await ec.deadLetters.ofDevice('SDK-2')).toHaveLength(1);
  expect((await ec.audit.list(org, { limit: 3 })).map((entry) => entry.action)).toContain(
    'credential_rotated',
  );
  expect((await ec.live.lease([`org:${org}`, 'device:nobody'])).leases).toHaveLength(1);
  expect((await ec.orgs.overview(org)).counts.total).toBeGreaterThan(0);
  expect((await ec.productTypes.list()).map((type) => type.key)).toEqual(['EC-CLIMATE-V1', 'tracker']);
});

it('failures are the errors of their code', async () => {
  await expect(ec.devices.get('nobody-1')).rejects.toBeInstanceOf(NotFoundError);
  await expect(
    ec.devices.register({ serial_no: api.world.stranger.device.serial, product_type: 'tracker' }),
  ).rejects.toMatchObject({ constructor: ConflictError, code: 'serial_taken' });
});

it('a list is walked through over all its pages', async () => {
  const many = Array.from({ length: 25 }, (_, n) => ({
    serial_no: `MANY-${n + 10}`,
    product_type: 'tracker',
  }));
  expect(await ec.devices.registerMany(many)).toMatchObject({ created: 25, failed: 0 });
  const found: string[] = [];
  for await (const device of ec.devices.list({ q: 'MANY', limit: 10 })) found.push(device.serial_no);
  expect(found).toEqual(many.map((device) => device.serial_no));
});
