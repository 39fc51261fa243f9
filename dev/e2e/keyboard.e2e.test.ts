import { expect as onPage, type Page } from '@playwright/test';
import { describe, expect, inject, test } from 'vitest';
import { openPage, useBrowser } from './support/browser.ts';
import { demoDevice } from './support/demo.ts';
import { openAs, people } from './support/people.ts';

useBrowser();

const MOST_TABS = 40;

/** Presses Tab until the element with that role and name has the focus; fails when it never gets it. */
async function tabTo(
  page: Page,
  role: Parameters<Page['getByRole']>[0],
  name: RegExp | string,
): Promise<void> {
  for (let presses = 0; presses < MOST_TABS; presses++) {
    const target = page.getByRole(role, { name }).and(page.locator(':focus'));
    if ((await target.count()) > 0) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab never reached the ${role} "${String(name)}".`);
}

describe('with the keyboard alone', () => {
  test('one signs in', async () => {
    const page = await openPage();
    await page.goto('/sign-in');
    await tabTo(page, 'textbox', 'Email');
    await page.keyboard.type(people.viewer);
    await page.keyboard.press('Tab');
    await page.keyboard.type(inject('world').admin.password);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/org$/);
  });

  test('one finds a device and changes the range of its history', async () => {
    const serial = await demoDevice();
    const page = await openAs('viewer', '/org');
    await tabTo(page, 'link', 'Devices');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/org\/devices/);
    await tabTo(page, 'searchbox', /serial/i);
    await page.keyboard.type(serial);
    await page.waitForURL(/q=/);
    await tabTo(page, 'link', new RegExp(serial));
    await page.keyboard.press('Enter');
    await page.waitForURL(new RegExp(`/org/devices/${serial}`));
    await tabTo(page, 'link', 'History');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/history$/);
    await tabTo(page, 'button', 'Last 7 days');
    await page.keyboard.press('Space');
    await onPage(page.getByRole('button', { name: 'Last 7 days' })).toHaveAttribute('aria-pressed', 'true');
  });

  test('the focus can be seen, and the first stop skips to the content', async () => {
    const page = await openAs('viewer', '/org/devices');
    await page.keyboard.press('Tab');
    const skip = page.locator(':focus');
    await onPage(skip).toHaveAccessibleName(/skip/i);
    await onPage(skip).toBeInViewport();
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.closest('main') !== null)).toBe(true);
  });
});
