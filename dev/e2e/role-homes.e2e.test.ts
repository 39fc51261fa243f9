import { expect as onPage } from '@playwright/test';
import { describe, expect, inject, test } from 'vitest';
import { openPage, useBrowser } from './support/browser.ts';
import { callApi, registerDevice } from './support/device.ts';
import { join, newAccount, newRoom, signInAs } from './support/newcomers.ts';
import { fillSignIn, openAs, people, type Role } from './support/people.ts';

useBrowser();

const PAGES = [
  ...(['/', '/partner', '/org', '/org/devices', '/org/settings/members'] as const),
  ...(['/portal', '/portal/room', '/account'] as const),
];
const STAFF = ['/org', '/org/devices', '/org/settings/members', '/account'];

/** What opens for whom; `/` leads everybody but admins to their own home, everything else is refused. */
const OPEN: Record<Role, string[]> = {
  admin: ['/', ...STAFF],
  partner: ['/partner', ...STAFF],
  org_admin: STAFF,
  operator: STAFF,
  viewer: STAFF,
  customer: ['/portal', '/account'],
  tenant: ['/portal/room', '/account'],
};
const HOMES: Record<Role, string> = {
  admin: '/',
  partner: '/partner',
  org_admin: '/org',
  operator: '/org',
  viewer: '/org',
  customer: '/portal',
  tenant: '/portal/room',
};

describe('pages belong to roles', () => {
  test.each(Object.keys(OPEN) as Role[])('%s opens its own and no others', async (role) => {
    const page = await openAs(role);
    const got: Record<string, number | string> = {};
    const wanted: Record<string, number | string> = {};
    for (const path of PAGES) {
      const answer = await page.request.get(path, { maxRedirects: 0 });
      got[path] = answer.status() === 303 ? (answer.headers()['location'] ?? '') : answer.status();
      wanted[path] = OPEN[role].includes(path) ? 200 : path === '/' ? HOMES[role] : 403;
    }
    expect(got).toEqual(wanted);
  });

  test('nobody gets further than signing in without an account', async () => {
    const page = await openPage();
    for (const path of PAGES) {
      const answer = await page.request.get(path, { maxRedirects: 0 });
      expect([answer.status(), answer.headers()['location']]).toEqual([
        303,
        `/sign-in?next=${encodeURIComponent(path)}`,
      ]);
    }
  });

  test('data and form posts behind a page are refused like the page', async () => {
    const page = await openAs('tenant');
    const origin = inject('world').web_url;
    const data = await page.request.get('/org/settings/members/__data.json', { maxRedirects: 0 });
    expect(data.status()).toBe(403);
    const post = await page.request.post('/org/switch', {
      headers: { origin },
      form: { org: 'x' },
      maxRedirects: 0,
    });
    expect(post.status()).toBe(403);
  });

  test('a form that another site sends is refused', async () => {
    const page = await openAs('viewer');
    const post = await page.request.post('/sign-out', {
      headers: { origin: 'https://evil.example' },
      form: {},
      maxRedirects: 0,
    });
    expect(post.status()).toBe(403);
    expect((await page.request.get('/org', { maxRedirects: 0 })).status()).toBe(200);
  });
});

test('somebody who is several things switches between them', async () => {
  const email = await newAccount('several');
  await join(email, 'viewer');
  const room = await newRoom('Studio');
  const query = new URLSearchParams(room.claimPath.split('?')[1]);
  await callApi(email, 'POST', '/room-claims', { room_id: room.id, code: query.get('code') });
  const page = await signInAs(email, '/org');
  const menu = page.getByRole('button', { name: /^Account of/ });
  await menu.click();
  await page.getByRole('menuitem', { name: new RegExp(room.name) }).click();
  await page.waitForURL(/\/portal\/room/);
  await onPage(page.getByRole('main')).toContainText(room.name);
  await menu.click();
  await page.getByRole('menuitem', { name: /Acme Manufacturing/ }).click();
  await page.waitForURL(/\/org/);
  await onPage(page.getByRole('heading', { level: 1 })).toBeVisible();
});

test('the partner opens the devices of its orgs', async () => {
  const page = await openAs('partner', '/partner');
  const { serial } = await registerDevice(people.org_admin);
  const answer = await page.goto(`/org/devices/${serial}`);
  expect(answer?.status()).toBe(200);
});

describe('after signing in', () => {
  test.each([
    '//evil.example',
    '/\\evil.example',
    '/%2f%2fevil.example',
    'https://evil.example',
    '/\t/evil.example',
  ])('nobody is led away by next=%j', async (next) => {
    const page = await openPage();
    await page.goto(`/sign-in?next=${encodeURIComponent(next)}`);
    await fillSignIn(page, people.viewer, inject('world').admin.password);
    await page.waitForURL((url) => url.pathname !== '/sign-in');
    expect(new URL(page.url()).origin).toBe(new URL(inject('world').web_url).origin);
    expect(new URL(page.url()).pathname).toBe('/org');
  });
});
