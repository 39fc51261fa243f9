import { expect as onPage, type Page } from '@playwright/test';
import { describe, expect, inject, test } from 'vitest';
import { useBrowser } from './support/browser.ts';
import { callApi, registerDevice } from './support/device.ts';
import { codeFor, mailsTo } from './support/mail.ts';
import { join, newAccount, signInAs } from './support/newcomers.ts';
import { openAs, people } from './support/people.ts';

useBrowser();

/** Texts of all messages that the page's sockets receive from now on. */
function listen(page: Page): string[] {
  const heard: string[] = [];
  page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => heard.push(String(payload))));
  return heard;
}

const isLive = (page: Page) => onPage(page.getByRole('status').filter({ hasText: /^\s*Live/ })).toBeVisible();

describe('removed from the org', () => {
  test('a person’s live page falls silent at once, and the next request is refused', async () => {
    const device = await registerDevice(people.org_admin);
    const email = await newAccount('removed');
    const membership = await join(email, 'viewer');
    const path = `/org/devices/${device.serial}`;
    const page = await signInAs(email, '/account');
    const heard = listen(page);
    const stays = await openAs('org_admin');
    const stayHeard = listen(stays);
    await page.goto(path);
    await stays.goto(path);
    await Promise.all([isLive(page), isLive(stays)]);
    const says = async (temp: string) =>
      device.publish(`devices/${device.serial}/telemetry`, `{"temp":${temp}}`);
    await says('21.31');
    await onPage.poll(() => heard.join()).toContain('21.31');

    await callApi(people.org_admin, 'DELETE', `/members/${membership}`);
    await expect(callApi(email, 'GET', `/devices/${device.serial}`)).rejects.toThrow(/ 40[34] /);
    const answer = await page.request.get(path, { maxRedirects: 0 });
    expect(answer.status()).toBe(403);

    // Who stays joins the topic's new name by itself, and hears what the removed one does not.
    let n = 0;
    await onPage
      .poll(
        async () => {
          await says(`22.${100 + ++n}`);
          return stayHeard.some((text) => /22\.1\d\d/.test(text));
        },
        { timeout: 20_000, intervals: [500] },
      )
      .toBe(true);
    expect(heard.filter((text) => /22\.1\d\d/.test(text))).toEqual([]);
  });

  test('a changed role counts from the next request on', async () => {
    const email = await newAccount('demoted');
    const membership = await join(email, 'org_admin');
    const page = await signInAs(email, '/org/settings/keys');
    await page.getByRole('heading', { level: 1 }).waitFor();
    const { memberships } = await callApi<{ memberships: { org_id: string }[] }>(email, 'GET', '/me');
    const keys = `/orgs/${memberships[0]!.org_id}/api-keys`;
    await callApi(email, 'GET', keys);
    await callApi(people.org_admin, 'PATCH', `/members/${membership}`, { role: 'viewer' });
    await expect(callApi(email, 'GET', keys)).rejects.toThrow(/ 403 /);
    await page.goto('/org/settings/provisioning');
    await onPage(page.getByRole('button', { name: /new|create|make/i })).toHaveCount(0);
  });
});

describe('a session that ended', () => {
  test('is asked for over the page, and what was typed stays and is sent', async () => {
    const email = await newAccount('typing');
    await join(email, 'viewer');
    const page = await signInAs(email, '/account');
    const name = page.getByLabel('Name', { exact: true });
    await name.fill('Typed and kept');
    const phone = await signInAs(email, '/account');
    await phone.getByRole('button', { name: 'Sign out everywhere' }).click();
    await phone.waitForURL(/\/sign-in/);

    await page.getByRole('button', { name: 'Save' }).click();
    const dialog = page.getByRole('dialog', { name: 'Sign in again' });
    await dialog.waitFor();
    await onPage(name).toHaveValue('Typed and kept');
    await dialog.getByLabel('Password', { exact: true }).fill('not the password');
    await dialog.getByRole('button', { name: 'Sign in and go on' }).click();
    await onPage(dialog.getByRole('alert')).toBeVisible();
    await dialog.getByLabel('Password', { exact: true }).fill(inject('world').admin.password);
    await dialog.getByRole('button', { name: 'Sign in and go on' }).click();
    await onPage(dialog).toHaveCount(0);
    await page.getByRole('button', { name: 'Save' }).click();
    await onPage(page.getByText('Saved.')).toBeVisible();
    expect((await callApi<{ full_name: string }>(email, 'GET', '/me')).full_name).toBe('Typed and kept');
  });

  test('goes on with a mailed code, on a page that only shows readings', async () => {
    const email = await newAccount('watching');
    await join(email, 'viewer');
    const page = await signInAs(email, '/org');
    await isLive(page);
    const phone = await signInAs(email, '/account');
    await phone.getByRole('button', { name: 'Sign out everywhere' }).click();
    await phone.waitForURL(/\/sign-in/);
    const dialog = page.getByRole('dialog', { name: 'Sign in again' });
    await dialog.waitFor({ timeout: 40_000 });
    await dialog.getByRole('button', { name: 'Email me a code instead' }).click();
    const seen = (await mailsTo(email)).length;
    await dialog.getByRole('button', { name: 'Send code' }).click();
    await dialog.getByLabel('6-digit code').fill(await codeFor(email, seen));
    await dialog.getByRole('button', { name: 'Sign in and go on' }).click();
    await onPage(dialog).toHaveCount(0);
    await isLive(page);
  });
});
