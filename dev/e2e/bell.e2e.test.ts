import { randomBytes } from 'node:crypto';
import { AxeBuilder } from '@axe-core/playwright';
import { expect as onPage, type Page } from '@playwright/test';
import { describe, expect, test } from 'vitest';
import { useBrowser } from './support/browser.ts';
import { callApi } from './support/device.ts';
import { inDatabase, orgOf } from './support/newcomers.ts';
import { openAs, people } from './support/people.ts';

useBrowser();

const name = (what: string): string => `${what} ${randomBytes(3).toString('hex')}`;

interface Ring {
  severity?: string;
  body?: string;
  link?: string;
  group?: string;
}

/** As a domain function does it, in the transaction of what happened. */
async function ring(title: string, { severity = 'info', body = '', link, group }: Ring = {}): Promise<void> {
  await inDatabase(`select private.notify_org($1, 'e2e', $2, $3, $4, $5, '{}', $6)`, [
    await orgOf(people.org_admin),
    ...[severity, title, body, link ?? null, group ?? null],
  ]);
}

const readAll = async (person: string): Promise<unknown> =>
  callApi(person, 'POST', `/orgs/${await orgOf(people.org_admin)}/notifications/read-all`);

const bell = (page: Page) => page.getByRole('button', { name: /^Notifications/ });
const panel = (page: Page) => page.getByRole('dialog', { name: 'Notifications' });
const rows = (page: Page) => panel(page).getByRole('listitem');

async function openBell(page: Page): Promise<void> {
  await bell(page).click();
  await onPage(panel(page)).toBeVisible();
}

describe('the bell', () => {
  test('counts at once what happens while the page is open, and leads to where it happened', async () => {
    await readAll(people.org_admin);
    const page = await openAs('org_admin', '/org/rooms');
    await onPage(bell(page)).toHaveAccessibleName('Notifications');
    const [first, second] = [name('Something'), name('Firmware ready')];
    await ring(first);
    await onPage(bell(page)).toHaveAccessibleName('Notifications, 1 unread');
    await ring(second, { severity: 'warn', body: 'For climate nodes.', link: '/org/devices?status=offline' });
    await onPage(bell(page)).toHaveAccessibleName('Notifications, 2 unread');
    await onPage(page.getByText(`New notification: ${second}`)).toBeAttached();

    await openBell(page);
    await onPage(rows(page).nth(0)).toContainText(second);
    await onPage(rows(page).nth(0)).toContainText('For climate nodes.');
    await onPage(rows(page).nth(1)).toContainText(first);
    await panel(page).getByRole('link', { name: second }).click();
    await page.waitForURL(/\/org\/devices\?status=offline$/);
    await onPage(panel(page)).toBeHidden();
    await onPage(bell(page)).toHaveAccessibleName('Notifications, 1 unread');
  });

  test('one or all are marked as read, for oneself alone, and stay so', async () => {
    await readAll(people.org_admin);
    await readAll(people.operator);
    const titles = [name('One'), name('Two'), name('Three')] as const;
    for (const title of titles) await ring(title);
    const page = await openAs('org_admin', '/org');
    await onPage(bell(page)).toHaveAccessibleName('Notifications, 3 unread');
    await openBell(page);
    await panel(page)
      .getByRole('button', { name: `Mark “${titles[1]}” as read` })
      .click();
    await onPage(bell(page)).toHaveAccessibleName('Notifications, 2 unread');
    await panel(page).getByRole('button', { name: 'Mark all read' }).click();
    await onPage(bell(page)).toHaveAccessibleName('Notifications');
    await onPage(rows(page).nth(0)).toContainText(titles[2]);
    await page.reload();
    await openBell(page);
    await onPage(rows(page).nth(2)).toContainText(titles[0]);
    await onPage(panel(page).getByRole('button', { name: /^Mark/ })).toHaveCount(0);

    const operator = await openAs('operator', '/org');
    await onPage(bell(operator)).toHaveAccessibleName('Notifications, 3 unread');
  });

  test('the same thing again is one entry that comes up again', async () => {
    const [title, other] = [name('Pump is offline'), name('Other')];
    await ring(title, { group: title, severity: 'bad' });
    await ring(other);
    const page = await openAs('org_admin', '/org');
    await openBell(page);
    await onPage(rows(page).nth(0)).toContainText(other);
    await ring(title, { group: title, severity: 'bad' });
    await onPage(rows(page).nth(0)).toContainText(title);
    await onPage(rows(page).nth(0)).toContainText('2 times since');
    await onPage(panel(page).getByText(title)).toHaveCount(1);
  });

  test('works with the keyboard alone', async () => {
    const [older, newer] = [name('Older'), name('Newer')];
    await ring(older, { link: '/org/rooms' });
    await ring(newer, { link: '/org/devices' });
    const page = await openAs('org_admin', '/org');
    await bell(page).focus();
    await page.keyboard.press('Enter');
    await onPage(rows(page).nth(0)).toContainText(newer);
    await page.keyboard.press('ArrowDown');
    await onPage(panel(page).getByRole('link', { name: newer })).toBeFocused();
    await page.keyboard.press('ArrowDown');
    await onPage(panel(page).getByRole('link', { name: older })).toBeFocused();
    await page.keyboard.press('Escape');
    await onPage(panel(page)).toBeHidden();
    await onPage(bell(page)).toBeFocused();
    await page.keyboard.press('Enter');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/org\/rooms$/);
  });

  test('fits a phone of 320 pixels with the longest words', async () => {
    await ring(`Firmware ${'1.2.3-release-candidate.'.repeat(5)} for the climate nodes is ready`, {
      body: `${'It was uploaded by somebody with a rather long address. '.repeat(4)}`,
    });
    const page = await openAs('org_admin', '/org', { viewport: { width: 320, height: 640 }, hasTouch: true });
    await openBell(page);
    expect((await new AxeBuilder({ page }).analyze()).violations.map(({ id }) => id)).toEqual([]);
    const box = (await panel(page).boundingBox())!;
    expect(box.x).toBeGreaterThanOrEqual(0);
    expect(box.x + box.width).toBeLessThanOrEqual(320);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
    await panel(page).getByRole('button', { name: 'Close' }).click();
    await onPage(panel(page)).toBeHidden();
  });

  test('says so when there is nothing, and when nobody answers, and tries again', async () => {
    const page = await openAs('org_admin', '/org');
    const answers = ['fail', 'empty'];
    await page.route(/\/api\/orgs\/[^/]+\/notifications\?limit=20/, (route) =>
      answers.shift() === 'fail' ? route.abort() : route.fulfill({ json: [] }),
    );
    answers.unshift('fail');
    await openBell(page);
    await onPage(panel(page).getByText('The notifications could not be loaded')).toBeVisible();
    await panel(page).getByRole('button', { name: 'Try again' }).click();
    await onPage(panel(page).getByText('Nothing has happened yet')).toBeVisible();
  });

  test('does not ring for those who only look', async () => {
    const page = await openAs('viewer', '/org');
    await onPage(page.getByRole('button', { name: /^Account of/ })).toBeVisible();
    await onPage(bell(page)).toHaveCount(0);
  });
});
