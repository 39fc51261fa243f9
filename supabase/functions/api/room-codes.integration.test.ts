import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from '../test/api.ts';
import { newPerson } from '../test/people.ts';

let api: TestApi;
let admin: string;
let room: string;
beforeAll(async () => {
  api = await startApi();
  admin = await api.tokenOf(api.world.orgAdmin);
});
afterAll(() => api?.stop());

let count = 0;
async function newRoom(): Promise<string> {
  const name = `Flat ${++count}`;
  const { body } = await api.call('POST', `/orgs/${api.world.org.id}/rooms`, { as: admin, body: { name } });
  return body.id;
}
const rotate = (id: string, body: object = {}) => api.call('POST', `/rooms/${id}/code`, { as: admin, body });
const preview = (room_id: string, code: string) =>
  api.call('POST', '/room-claims/preview', { body: { room_id, code } });
const claim = (room_id: string, code: string, as: string) =>
  api.call('POST', '/room-claims', { as, body: { room_id, code } });

describe('the code of a room', () => {
  it('does not exist until it is made, is the same whenever it is read, and opens the room', async () => {
    room = await newRoom();
    expect((await api.get(`/rooms/${room}/code`, admin)).body).toMatchObject({ code: null, claim_url: null });
    const made = await rotate(room);
    expect(made.status).toBe(201);
    const read = await api.get(`/rooms/${room}/code`, admin);
    expect(read.body).toEqual(made.body);
    const { code, claim_url, version } = read.body;
    expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{16}$/);
    expect(claim_url).toBe(`http://web.test/claim-room?room_id=${room}&code=${code}`);
    expect(version).toBe(1);
    expect((await preview(room, code)).body).toEqual({
      room: { id: room, name: 'Flat 1' },
      org: { name: 'acme', slug: 'acme', brand: {} },
    });
    const typed = code.toLowerCase().replace(/(.{4})/g, '$1 - ');
    expect((await preview(room, typed)).status).toBe(200);
  });

  it('makes who scans it a tenant of that room, once', async () => {
    const id = await newRoom();
    const { code } = (await rotate(id)).body;
    const person = await newPerson(api);
    const first = await claim(id, code, person.token);
    expect(first.status).toBe(201);
    expect(first.body).toMatchObject({
      home: '/portal/room',
      membership: { role: 'tenant', location_id: id, org_id: api.world.org.id },
    });
    expect((await claim(id, code, person.token)).status).toBe(200);
    expect((await api.get(`/rooms/${id}`, person.token)).body).toMatchObject({
      id,
      org: { name: 'acme', slug: 'acme', brand: {} },
    });
    expect((await api.get(`/rooms/${id}/tenants`, admin)).body).toMatchObject([
      { user_id: person.id, email: person.email },
    ]);
    expect((await api.get(`/rooms/${id}/tenants`, person.token)).status).toBe(403);
    expect((await api.get('/devices', person.token)).status).toBe(403);
  });

  it('rotated ends at once and leaves the tenants, unless they are to go as well', async () => {
    const id = await newRoom();
    const { code } = (await rotate(id)).body;
    const person = await newPerson(api);
    await claim(id, code, person.token);
    const next = (await rotate(id)).body;
    expect([next.version, next.code === code]).toEqual([2, false]);
    const old = await preview(id, code);
    expect([old.status, old.body.code, old.body.reason]).toEqual([410, 'expired', 'rotated']);
    expect((await api.get(`/rooms/${id}`, person.token)).status).toBe(200);
    await rotate(id, { end_tenants: true });
    expect((await api.get(`/rooms/${id}`, person.token)).status).toBe(403);
    expect((await api.get(`/rooms/${id}/tenants`, admin)).body).toEqual([]);
  });

  it('revoked or expired opens nothing', async () => {
    const id = await newRoom();
    const { code } = (await rotate(id)).body;
    expect((await api.call('DELETE', `/rooms/${id}/code`, { as: admin })).status).toBe(204);
    expect((await preview(id, code)).body.reason).toBe('revoked');
    expect((await api.get(`/rooms/${id}/code`, admin)).body.code).toBeNull();
    const brief = (await rotate(id, { expires_at: Date.now() + 3_600_000 })).body;
    expect(brief.expires_at).toMatch(/\.\d{3}Z$/);
    await api.db.query(
      `update public.room_codes set expires_at = now() where location_id = $1 and revoked_at is null`,
      [id],
    );
    expect((await preview(id, brief.code)).body.reason).toBe('expired');
  });

  it('that is wrong, of another room, or of none is the same 404', async () => {
    const [one, two] = [await newRoom(), await newRoom()];
    const { code } = (await rotate(one)).body;
    const answers = [
      await preview(one, 'WRONGC0DE'),
      await preview(two, code),
      await preview('00000000-0000-4000-8000-000000000000', code),
      await preview(api.world.org.building, code),
    ];
    const bodies = answers.map(({ status, body: { request_id: _, ...rest } }) => ({ status, ...rest }));
    expect(bodies[0]).toMatchObject({ status: 404 });
    for (const body of bodies) expect(body).toEqual(bodies[0]);
  });

  it('is for those who may hand out access', async () => {
    const viewer = await api.tokenOf(api.world.viewer);
    const stranger = await api.tokenOf(api.world.strangerAdmin);
    expect((await api.get(`/rooms/${room}/code`, viewer)).status).toBe(403);
    expect((await api.get(`/rooms/${room}/code`, stranger)).status).toBe(404);
    expect((await api.get(`/rooms/${room}/code`, await api.apiKey(['read', 'write']))).status).toBe(403);
  });

  it('is in no kept answer and in no log', async () => {
    const id = await newRoom();
    const headers = { 'idempotency-key': `room-code-${id}` };
    const first = await api.call('POST', `/rooms/${id}/code`, { as: admin, body: {}, headers });
    const again = await api.call('POST', `/rooms/${id}/code`, { as: admin, body: {}, headers });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(again.body).toMatchObject({ code: null, claim_url: null });
    await preview(id, first.body.code);
    expect(api.log.join()).not.toContain(first.body.code);
  });
});

describe('moving out', () => {
  it('ends the view at the next request, by the tenant or by who may hand out access', async () => {
    const id = await newRoom();
    const { code } = (await rotate(id)).body;
    const [one, two] = [await newPerson(api), await newPerson(api)];
    const mine = (await claim(id, code, one.token)).body.membership.id;
    const theirs = (await claim(id, code, two.token)).body.membership.id;
    expect((await api.call('DELETE', `/members/${theirs}`, { as: one.token })).status).toBe(404);
    expect((await api.call('DELETE', `/members/${mine}`, { as: one.token })).status).toBe(204);
    expect((await api.get(`/rooms/${id}`, one.token)).status).toBe(403);
    expect((await api.call('DELETE', `/members/${theirs}`, { as: admin })).status).toBe(204);
    expect((await api.get(`/rooms/${id}`, two.token)).status).toBe(403);
  });
});

it('sheets for many rooms come in the order asked, with a code for each', async () => {
  const ids = [await newRoom(), await newRoom(), room];
  const path = `/orgs/${api.world.org.id}/room-codes`;
  const { status, body } = await api.call('POST', path, { as: admin, body: { room_ids: ids } });
  expect(status).toBe(200);
  expect(body.map((sheet: { room_id: string }) => sheet.room_id)).toEqual(ids);
  for (const sheet of body) expect((await preview(sheet.room_id, sheet.code)).status).toBe(200);
  const mixed = { room_ids: [room, api.world.stranger.room] };
  expect((await api.call('POST', path, { as: admin, body: mixed })).status).toBe(404);
});
