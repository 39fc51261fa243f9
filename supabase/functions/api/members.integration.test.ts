import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeMember } from '../../tests/harness/world.ts';
import { startApi, type TestApi } from '../test/api.ts';

let api: TestApi;
let admin: string;
let platform: string;
let org: string;
beforeAll(async () => {
  api = await startApi();
  admin = await api.tokenOf(api.world.orgAdmin);
  platform = await api.tokenOf(api.world.admin);
  org = api.world.org.id;
});
afterAll(() => api?.stop());

interface Listed {
  id: string;
  user_id: string;
  role: string;
  email: string;
}
const members = async (query = ''): Promise<Listed[]> =>
  (await api.get(`/orgs/${org}/members${query}`, admin)).body;
async function newMember(role: string): Promise<{ id: string; token: string }> {
  const actor = await makeMember(api.db, role, role, { org });
  const { id } = (await members()).find((one) => one.user_id === actor.user)!;
  return { id, token: await api.tokenOf(actor) };
}

describe('members', () => {
  it('are listed staff first, searched, filtered and paged', async () => {
    expect((await members()).map((one) => one.role)).toEqual([
      'org_admin',
      'operator',
      'viewer',
      'customer',
      'tenant',
    ]);
    const [viewer] = await members('?role=viewer');
    expect(await members(`?q=${viewer!.email.slice(0, 9).toUpperCase()}`)).toEqual([viewer]);
    expect(await members('?q=%25')).toEqual([]);
    const first = await api.get(`/orgs/${org}/members?limit=3`, admin);
    const next = /after=([\w-]+)/.exec(first.headers.get('link')!)![1];
    expect((await members(`?limit=3&after=${next}`)).map((one) => one.role)).toEqual(['customer', 'tenant']);
    expect((await api.get(`/orgs/${org}/members`, await api.tokenOf(api.world.customer))).status).toBe(403);
    expect((await api.get(`/orgs/${org}/members`, await api.tokenOf(api.world.strangerAdmin))).status).toBe(
      404,
    );
  });

  it('have their new role at their next request', async () => {
    const { id, token } = await newMember('viewer');
    const tag = () =>
      api.call('PATCH', `/devices/${api.world.org.device.serial}`, { as: token, body: { tags: ['x'] } });
    expect((await tag()).status).toBe(403);
    const changed = await api.call('PATCH', `/members/${id}`, { as: admin, body: { role: 'org_admin' } });
    expect(changed.body).toMatchObject({ id, role: 'org_admin' });
    expect((await tag()).status).toBe(200);
    await api.call('PATCH', `/members/${id}`, { as: admin, body: { role: 'operator' } });
    expect((await tag()).status).toBe(403);
  });

  it('cannot be made more than the one who does it, nor something that is no role of an organisation', async () => {
    const { id, token } = await newMember('operator');
    expect(
      (await api.call('PATCH', `/members/${id}`, { as: token, body: { role: 'org_admin' } })).status,
    ).toBe(403);
    for (const role of ['admin', 'partner', 'tenant'])
      expect((await api.call('PATCH', `/members/${id}`, { as: admin, body: { role } })).status).toBe(400);
    const stranger = await api.tokenOf(api.world.strangerAdmin);
    expect(
      (await api.call('PATCH', `/members/${id}`, { as: stranger, body: { role: 'viewer' } })).status,
    ).toBe(404);
    expect((await api.call('DELETE', `/members/${id}`, { as: stranger })).status).toBe(404);
  });

  it('who are removed are out at their next request', async () => {
    const { id, token } = await newMember('operator');
    expect((await api.get(`/orgs/${org}`, token)).status).toBe(200);
    expect((await api.call('DELETE', `/members/${id}`, { as: admin })).status).toBe(204);
    expect((await api.get(`/orgs/${org}`, token)).status).toBe(403);
  });

  it('the last administrator stays', async () => {
    const stranger = await api.tokenOf(api.world.strangerAdmin);
    const [last] = (await api.get(`/orgs/${api.world.stranger.id}/members`, stranger)).body;
    const left = await api.call('DELETE', `/members/${last.id}`, { as: stranger });
    expect([left.status, left.body.code]).toEqual([409, 'conflict']);
  });
});

describe('administrators', () => {
  it('find users, organisations and partners', async () => {
    const { email } = (await members('?role=customer'))[0]!;
    const users = await api.get(`/users?q=${email.toUpperCase()}`, platform);
    expect(users.body).toMatchObject([{ memberships: [{ role: 'customer', org_name: 'acme' }] }]);
    const all = [];
    let path = '/users?limit=4';
    for (;;) {
      const page = await api.get(path, platform);
      all.push(...page.body.map((user: { id: string }) => user.id));
      const next = /after=([\w-]+)/.exec(page.headers.get('link') ?? '')?.[1];
      if (next === undefined) break;
      path = `/users?limit=4&after=${next}`;
    }
    const total = await api.db.value<number>('select count(*)::int from public.profiles');
    expect(new Set(all).size).toBe(total);
    expect((await api.get('/orgs?q=HARB', platform)).body).toMatchObject([{ slug: 'harbour' }]);
    expect((await api.get('/partners?q=nor', platform)).body).toMatchObject([{ slug: 'north' }]);
    expect((await api.get('/users', admin)).status).toBe(403);
  });

  it('change partners; partners themselves all but the plan', async () => {
    const path = `/partners/${api.world.partner}`;
    const partner = await api.tokenOf(api.world.partnerUser);
    const named = await api.call('PATCH', path, { as: partner, body: { contact_email: 'a@example.com' } });
    expect(named.body).toMatchObject({ slug: 'north', contact_email: 'a@example.com' });
    expect((await api.call('PATCH', path, { as: partner, body: { plan: 'business' } })).status).toBe(403);
    expect((await api.call('PATCH', path, { as: platform, body: { plan: 'pro' } })).body.plan).toBe('pro');
    expect((await api.get(`/partners/${api.world.otherPartner}`, partner)).status).toBe(404);
  });
});

it('people change their own name and preferences, and nothing else', async () => {
  const body = { full_name: 'Vera Viewer', preferences: { theme: 'dark' } };
  const token = await api.tokenOf(api.world.viewer);
  expect((await api.call('PATCH', '/me', { as: token, body })).body).toMatchObject(body);
  for (const wrong of [{}, { email: 'x@example.com' }, { role: 'admin' }])
    expect((await api.call('PATCH', '/me', { as: token, body: wrong })).status).toBe(400);
});

it('a change is in the audit trail with who, before, after and the address; as CSV without formulas', async () => {
  const { id } = await newMember('viewer');
  await api.call('PATCH', `/members/${id}`, { as: admin, body: { role: 'operator' } });
  const path = `/orgs/${org}/audit`;
  const [entry] = (await api.get(`${path}?limit=1`, admin)).body;
  expect(entry).toMatchObject({
    before: { role: 'viewer' },
    after: { role: 'operator' },
    address: '127.0.0.1',
  });
  const found = await api.get(
    `${path}?actor=${entry.actor}&action=${entry.action}&from=${entry.created_at}`,
    admin,
  );
  expect(found.body.map((one: { id: number }) => one.id)).toContain(entry.id);
  expect((await api.get(`${path}?to=0`, admin)).body).toEqual([]);

  await api.call('PATCH', `/orgs/${org}`, { as: admin, body: { name: 'acme' } });
  await api.call('POST', `/orgs/${org}/api-keys`, { as: admin, body: { name: '=cmd|x', scopes: ['read'] } });
  const csv = await api.get(`${path}?format=csv`, admin);
  expect(csv.headers.get('content-type')).toContain('text/csv');
  expect(csv.headers.get('content-disposition')).toContain('audit.csv');
  expect(csv.text.split('\r\n')[0]).toMatch(/^created_at,actor,actor_kind,action,/);
  expect(csv.text).not.toMatch(/(^|,)"?=cmd/m);
});
