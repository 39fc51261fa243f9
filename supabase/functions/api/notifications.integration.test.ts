import { EdgeConductor, NotFoundError, PermissionDeniedError } from '@edgeconductor/sdk';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { heard, ring } from '../../tests/harness/ringing.ts';
import { startApi, type TestApi } from '../test/api.ts';

let api: TestApi;
let org: string;
let ec: EdgeConductor;
beforeAll(async () => {
  api = await startApi();
  org = api.world.org.id;
  await api.db.query(`update public.orgs set plan = 'enterprise'`);
  ec = await clientOf(api.world.orgAdmin);
});
beforeEach(() => api.db.query('delete from public.notifications'));
afterAll(() => api?.stop());

async function clientOf(person: TestApi['world']['admin']): Promise<EdgeConductor> {
  const accessToken = await api.tokenOf(person);
  return new EdgeConductor({ accessToken, baseUrl: api.url, maxRetries: 0 });
}

it('a notification says what happened, where to look, and whether the reader has seen it', async () => {
  const id = await ring(api.db, org, {
    ...{
      kind: 'firmware_uploaded',
      severity: 'info',
      title: 'Firmware 1.3.0 is ready',
      body: 'For climate nodes.',
    },
    ...{ link: '/org/firmware', subject: { firmware: '1.3.0' } },
  });
  const stamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*\.\d{3}Z$/) as string;
  expect(await ec.notifications.list(org)).toEqual([
    {
      ...{ id, org_id: org, kind: 'firmware_uploaded', severity: 'info', title: 'Firmware 1.3.0 is ready' },
      ...{ body: 'For climate nodes.', link: '/org/firmware', subject: { firmware: '1.3.0' } },
      ...{ times: 1, first_at: stamp, created_at: stamp, read: false },
    },
  ]);
});

it('all pages together hold each once, newest first', async () => {
  for (let n = 0; n < 7; n++) await ring(api.db, org, { title: `n${n}` });
  const titles: string[] = [];
  for await (const { title } of ec.notifications.list(org, { limit: 3 })) titles.push(title);
  expect(titles).toEqual(['n6', 'n5', 'n4', 'n3', 'n2', 'n1', 'n0']);
});

describe('reading', () => {
  it('one answers with it, and counts for this reader alone', async () => {
    const id = await ring(api.db, org);
    await ring(api.db, org, { title: 'left' });
    expect(await ec.notifications.markRead(id)).toMatchObject({ id, read: true });
    expect(await ec.notifications.markRead(id), 'twice').toMatchObject({ read: true });
    const page = await ec.notifications.list(org, { unread: true }).page();
    expect([page.items.map(({ title }) => title), page.total]).toEqual([['left'], 1]);
    const other = await clientOf(api.world.operator);
    expect((await other.notifications.list(org, { unread: true, limit: 1 }).page()).total).toBe(2);
  });

  it('all answers with how many were new', async () => {
    for (let n = 0; n < 3; n++) await ring(api.db, org);
    expect(await ec.notifications.markAllRead(org)).toEqual({ marked: 3 });
    expect(await ec.notifications.markAllRead(org)).toEqual({ marked: 0 });
    expect((await ec.notifications.list(org)).every(({ read }) => read)).toBe(true);
  });

  it('is a key’s own, too', async () => {
    const id = await ring(api.db, org);
    const key = new EdgeConductor({ apiKey: await api.apiKey(['read']), baseUrl: api.url });
    // A key that was made after it rang has nothing new there.
    expect((await key.notifications.list(org, { unread: true }).page()).total).toBe(0);
    const later = await ring(api.db, org, { title: 'later' });
    expect((await key.notifications.list(org, { unread: true })).map((one) => one.id)).toEqual([later]);
    await key.notifications.markAllRead(org);
    expect((await heard(api.db, api.world.orgAdmin, org)).map((one) => [one.id, one.read])).toEqual([
      [later, false],
      [id, false],
    ]);
  });
});

it('somebody who only looks is told that the bell is not theirs, somebody else finds nothing', async () => {
  await ring(api.db, org);
  const viewer = await clientOf(api.world.viewer);
  await expect(viewer.notifications.list(org)).rejects.toBeInstanceOf(PermissionDeniedError);
  const stranger = await clientOf(api.world.strangerAdmin);
  await expect(stranger.notifications.list(org)).rejects.toBeInstanceOf(NotFoundError);
});

it.each(['?after=nonsense', '?limit=0', '?unread=maybe', '?after=WyJhIiwiYiJd'])(
  '%s is refused',
  async (query) => {
    const { status } = await api.get(
      `/orgs/${org}/notifications${query}`,
      await api.tokenOf(api.world.orgAdmin),
    );
    expect(status).toBe(400);
  },
);
