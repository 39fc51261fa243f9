import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi, type TestApi } from '../../supabase/functions/test/api.ts';
import { newPerson } from '../../supabase/functions/test/people.ts';
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

it('a device is claimed by its code, a room by its own, and both are given back', async () => {
  const { claim_url } = await ec.devices.register({ serial_no: 'SDK-3', product_type: 'tracker' });
  const code = new URL(claim_url!).searchParams.get('code')!;
  const nobody = new EdgeConductor({ baseUrl: api.url });
  expect(await nobody.claims.preview({ serial: 'SDK-3', code })).toMatchObject({ state: 'claimable' });
  await expect(nobody.claims.claim({ serial: 'SDK-3', code })).rejects.toMatchObject({
    code: 'unauthenticated',
  });

  const { email, token } = await newPerson(api);
  const person = new EdgeConductor({ accessToken: token, baseUrl: api.url });
  expect(await person.claims.claim({ serial: 'SDK-3', code })).toMatchObject({ place: 'portal' });
  expect((await person.devices.list()).map((device) => device.serial_no)).toEqual(['SDK-3']);
  await expect(ec.claims.claim({ serial: 'SDK-3', code, org_id: org })).rejects.toMatchObject({
    code: 'already_used',
    problem: { reason: 'used' },
  });
  expect(await ec.claims.status('SDK-3')).toMatchObject({ state: 'used' });
  expect(await ec.claims.tenures('SDK-3')).toHaveLength(2);
  expect(await person.claims.unclaim('SDK-3')).toBeNull();
  expect((await ec.claims.reissue('SDK-3')).claim_url).toContain('serial=SDK-3');

  const room = api.world.org.otherRoom;
  expect((await ec.rooms.code(room)).code).toBeNull();
  const rotated = await ec.rooms.rotateCode(room);
  const scanned = { room_id: room, code: rotated.code! };
  expect(await nobody.roomClaims.preview(scanned)).toMatchObject({ room: { name: 'Store' } });
  expect((await person.roomClaims.claim(scanned)).home).toBe('/portal/room');
  expect(await ec.rooms.tenants(room)).toMatchObject([{ email }]);
  expect((await ec.rooms.sheets(org, [room]))[0]?.code).toBe(rotated.code);
  await ec.rooms.revokeCode(room, { endTenants: true });
  expect(await ec.rooms.tenants(room)).toEqual([]);
});

it('people are invited, found, changed and removed', async () => {
  const invitation = await ec.invitations.create(org, { email: 'Sdk@example.com', role: 'viewer' });
  expect(await ec.invitations.resend(invitation.id)).toMatchObject({
    email: 'sdk@example.com',
    sent_count: 2,
  });
  await ec.invitations.revoke(invitation.id);
  expect((await ec.invitations.list(org))[0]).toMatchObject({ id: invitation.id, state: 'revoked' });
  const nobody = new EdgeConductor({ baseUrl: api.url });
  await expect(nobody.invitations.preview({ token: 'x'.repeat(43) })).rejects.toBeInstanceOf(NotFoundError);
  await nobody.signInAttempt('sdk@example.com');

  const [operator] = await ec.members.list(org, { role: 'operator' });
  expect(await ec.members.changeRole(operator!.id, 'viewer')).toMatchObject({ role: 'viewer' });
  await ec.members.remove(operator!.id);
  expect(await ec.members.list(org, { role: 'operator' })).toEqual([]);
  expect(await ec.updateMe({ full_name: 'Olga Org' })).toMatchObject({ full_name: 'Olga Org' });

  const admin = new EdgeConductor({ accessToken: () => api.tokenOf(api.world.admin), baseUrl: api.url });
  expect(await admin.users.list({ q: 'olga' })).toMatchObject([{ full_name: 'Olga Org' }]);
  const [north] = await admin.partners.list({ q: 'north' });
  expect(await admin.partners.update(north!.id, { plan: 'pro' })).toMatchObject({ plan: 'pro' });
  expect((await admin.invitations.invitePartner(north!.id, 'p@example.com')).role).toBe('partner');
});

it('many devices are assigned, imported and exported', async () => {
  await ec.devices.registerMany([
    { serial_no: 'SHEET-1', product_type: 'tracker' },
    { serial_no: 'SHEET-2', product_type: 'tracker' },
  ]);
  const to = { roomId: api.world.org.room };
  expect(await ec.devices.assignMany(org, ['SHEET-1', 'SHEET-0'], to)).toMatchObject({ done: 1, failed: 1 });
  const csv = await ec.devices.csv({ q: 'SHEET-' });
  expect(await ec.devices.importCsv(org, csv, { dryRun: true })).toMatchObject({
    applied: false,
    counts: { unchanged: 2 },
  });
  expect(await ec.audit.csv(org, { action: 'device_assigned' })).toContain('SHEET-1');
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
