import { expect as onPage } from '@playwright/test';
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { useBrowser } from './support/browser.ts';
import { callApi, registerDevice } from './support/device.ts';
import { openAs, people } from './support/people.ts';

useBrowser();

describe('the devices table', () => {
  test('searching narrows the rows, stands in the address, and survives a reload', async () => {
    const device = await registerDevice(people.org_admin);
    const page = await openAs('viewer', '/org/devices');
    const rows = page.getByRole('row').filter({ has: page.getByRole('cell') });
    await onPage(rows.nth(1)).toBeVisible();

    await page.getByRole('searchbox').fill(device.serial.toLowerCase());
    await page.waitForURL(/[?&]q=e2e-/);
    await onPage(rows).toHaveCount(1);
    await onPage(rows).toContainText(device.serial);

    await page.reload();
    await onPage(page.getByRole('searchbox')).toHaveValue(device.serial.toLowerCase());
    await onPage(rows).toHaveCount(1);
  });

  test('a status filter stands in the address, holds what it says, and Back undoes it', async () => {
    await registerDevice(people.org_admin);
    const page = await openAs('viewer', '/org/devices');
    await page.getByRole('link', { name: 'Never seen', exact: true }).click();
    await page.waitForURL(/status=never_seen/);
    const statuses = page.getByRole('row').filter({ has: page.getByRole('cell') });
    // The first row may be one in the list before, too.
    await onPage(statuses.filter({ hasNotText: 'Never seen' })).toHaveCount(0);
    await onPage(statuses.first()).toContainText('Never seen');

    await page.goBack();
    await page.waitForURL((url) => !url.searchParams.has('status'));
  });

  test('pages are cut by the server and hold each device once', async () => {
    const prefix = `PAGE-${randomBytes(3).toString('hex').toUpperCase()}`;
    const serials = Array.from({ length: 120 }, (_, i) => `${prefix}-${String(i).padStart(3, '0')}`);
    await callApi(people.org_admin, 'POST', '/devices/bulk', {
      devices: serials.map((serial_no) => ({ serial_no, product_type: 'EC-CLIMATE-V1' })),
    });
    const page = await openAs('viewer', `/org/devices?q=${prefix}`);

    const seen: string[] = [];
    const links = page.getByRole('row').getByRole('link', { name: new RegExp(prefix) });
    const next = page.getByRole('link', { name: 'Next page' });
    for (let shown = 1; shown <= 4; shown++) {
      await onPage(links.first()).toBeVisible();
      const texts = await links.allTextContents();
      expect(texts.length).toBeLessThanOrEqual(50);
      seen.push(...texts.map((text) => new RegExp(`${prefix}-\\d{3}`).exec(text)![0]));
      if ((await next.count()) === 0) break;
      await next.click();
      await onPage(links.first()).not.toContainText(seen.at(-50) ?? seen[0]!);
    }
    expect(seen.sort()).toEqual(serials);
  });
});
