import { describe, expect, inject, test } from 'vitest';
import { openPage, SECOND_HOST, useBrowser } from './support/browser.ts';
import { fillSignIn, people, signIn, type Role } from './support/people.ts';

useBrowser();

const homes: Record<Role, string> = {
  admin: '/',
  partner: '/partner',
  org_admin: '/org',
  operator: '/org',
  viewer: '/org',
  customer: '/portal',
  tenant: '/portal/room',
};

describe('signing in', () => {
  test.each(Object.entries(homes))('%s lands at %s', async (role, home) => {
    const page = await signIn(role as Role);
    expect(new URL(page.url()).pathname).toBe(home);
    await page.getByRole('heading', { level: 1 }).waitFor();
  });

  test('a wrong password is said in words, and the address typed stays', async () => {
    const page = await openPage();
    await page.goto('/sign-in');
    await fillSignIn(page, people.org_admin, 'not the password');
    await page.getByRole('alert').waitFor();
    expect(await page.getByLabel('Email').inputValue()).toBe(people.org_admin);
    expect(new URL(page.url()).pathname).toBe('/sign-in');
  });

  test('a page asked for before signing in is shown after it', async () => {
    const page = await openPage();
    await page.goto('/org/devices?status=offline');
    await fillSignIn(page, people.org_admin, inject('world').admin.password);
    await page.waitForURL(/\/org\/devices\?status=offline$/);
  });

  test('the form works over plain http on a second host name, without scripts', async () => {
    // A build-time origin, or one guessed as https, answers 403 here.
    const { port } = new URL(inject('world').web_url);
    const page = await openPage({ baseURL: `http://${SECOND_HOST}:${port}`, javaScriptEnabled: false });
    await page.goto('/sign-in');
    await fillSignIn(page, people.viewer, inject('world').admin.password);
    await page.waitForURL(`http://${SECOND_HOST}:${port}/org`);
  });

  test('somebody else’s area is refused, with a way home', async () => {
    const page = await signIn('tenant');
    const answer = await page.goto('/org/devices');
    expect(answer?.status()).toBe(403);
    await page.getByRole('link', { name: /home/i }).click();
    await page.waitForURL(/\/portal\/room$/);
  });

  test('signing out ends the session', async () => {
    const page = await signIn('viewer');
    await page.getByRole('button', { name: /account/i }).click();
    await page
      .getByRole('menuitem', { name: 'Sign out' })
      .or(page.getByRole('button', { name: 'Sign out' }))
      .click();
    await page.waitForURL(/\/sign-in/);
    await page.goto('/org');
    expect(new URL(page.url()).pathname).toBe('/sign-in');
  });
});
