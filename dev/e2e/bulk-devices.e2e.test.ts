import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect as onPage } from '@playwright/test';
import { describe, expect, test } from 'vitest';
import { useBrowser } from './support/browser.ts';
import { callApi, registerDevice } from './support/device.ts';
import { openAs, people } from './support/people.ts';

useBrowser();

interface Stored {
  serial_no: string;
  name: string | null;
  location_name: string | null;
  tags: string[];
}

const read = (serial: string) => callApi<Stored>(people.org_admin, 'GET', `/devices/${serial}`);

describe('many devices at once', () => {
  test('those ticked are assigned to a room, counted exactly, and put back by Undo', async () => {
    const devices = await Promise.all([1, 2, 3].map(() => registerDevice(people.org_admin)));
    const tag = `bulk-${randomBytes(3).toString('hex')}`;
    for (const { serial } of devices)
      await callApi(people.org_admin, 'PATCH', `/devices/${serial}`, { tags: [tag] });
    const page = await openAs('org_admin', `/org/devices?tag=${tag}`);
    for (const { serial } of devices.slice(0, 2)) await page.getByLabel(`Choose ${serial}`).check();
    await onPage(page.getByText('2 devices chosen')).toBeVisible();
    await page.getByRole('button', { name: 'Assign 2 devices' }).click();

    const dialog = page.getByRole('dialog');
    const room = dialog.getByLabel('Room');
    const sales = room.locator('option', { hasText: 'Sales' });
    await onPage(sales).toBeAttached();
    await room.selectOption({ label: (await sales.textContent()) ?? '' });
    await dialog.getByRole('button', { name: 'Assign 2 devices' }).click();
    await onPage(page.getByText('2 devices assigned to Sales.')).toBeVisible();
    expect((await read(devices[0]!.serial)).location_name).toBe('Sales');
    expect((await read(devices[2]!.serial)).location_name).toBeNull();

    await page.getByRole('button', { name: 'Undo' }).click();
    await onPage(page.getByText('All are back where they were.')).toBeVisible();
    expect((await read(devices[0]!.serial)).location_name).toBeNull();
  });

  test('what could not be assigned is named with its reason, and stays ticked', async () => {
    const [gone, moved] = await Promise.all([1, 2].map(() => registerDevice(people.org_admin)));
    const tag = `bulk-${randomBytes(3).toString('hex')}`;
    for (const device of [gone!, moved!])
      await callApi(people.org_admin, 'PATCH', `/devices/${device.serial}`, { tags: [tag] });
    const page = await openAs('org_admin', `/org/devices?tag=${tag}`);
    await page.getByLabel('Choose all devices of this page').check();
    await page.getByRole('button', { name: 'Assign 2 devices' }).click();
    const dialog = page.getByRole('dialog');
    const sales = dialog.getByLabel('Room').locator('option', { hasText: 'Sales' });
    await onPage(sales).toBeAttached();
    await dialog.getByLabel('Room').selectOption({ label: (await sales.textContent()) ?? '' });

    await callApi(people.org_admin, 'DELETE', `/devices/${gone!.serial}?force=true`);
    await dialog.getByRole('button', { name: 'Assign 2 devices' }).click();
    await onPage(dialog.getByText('1 device assigned')).toBeVisible();
    const failures = dialog.getByRole('list', { name: 'Devices that were not assigned' });
    await onPage(failures.getByRole('listitem')).toHaveCount(1);
    await onPage(failures).toContainText(gone!.serial);
    expect((await read(moved!.serial)).location_name).toBe('Sales');

    await dialog.getByRole('button', { name: 'Close' }).click();
    await onPage(page.getByText('1 device chosen')).toBeVisible();
  });

  test('a spreadsheet is shown line by line before anything happens, then applied', async () => {
    const known = await registerDevice(people.org_admin);
    const added = `E2E-${randomBytes(4).toString('hex').toUpperCase()}`;
    const lines = [
      'serial,product_type,name,tags',
      `${added},EC-CLIMATE-V1,From a list,imported;new`,
      `${known.serial},EC-CLIMATE-V1,Renamed by a list,`,
      'not a serial,EC-CLIMATE-V1,,',
    ];
    const page = await openAs('org_admin', '/org/devices/import');
    await page.getByLabel('Or paste the lines').fill(lines.join('\n'));
    await page.getByRole('button', { name: 'See what will happen' }).click();

    await onPage(page.getByRole('button', { name: /^Import 2 devices into / })).toBeVisible();
    const bad = page.getByRole('listitem').filter({ hasText: 'not a serial' });
    await onPage(bad).toContainText('Error');
    expect((await read(known.serial)).name).toBeNull();

    await page.getByRole('button', { name: /^Import 2 devices into / }).click();
    await onPage(page.getByRole('heading', { name: '2 devices imported' })).toBeVisible();
    expect(await read(added)).toMatchObject({ name: 'From a list', tags: ['imported', 'new'] });
    expect((await read(known.serial)).name).toBe('Renamed by a list');
  });

  test('the exported list runs nothing in a spreadsheet', async () => {
    const device = await registerDevice(people.org_admin);
    await callApi(people.org_admin, 'PATCH', `/devices/${device.serial}`, { name: '=1+2' });
    const page = await openAs('org_admin', `/org/devices?q=${device.serial}`);
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export' }).click();
    const text = readFileSync(await (await saved).path(), 'utf8');
    expect(text).toContain(device.serial);
    expect(text).toContain("'=1+2");
    expect(text).not.toMatch(/(^|,)"?=/m);
  });

  test('a viewer can tick nothing', async () => {
    const page = await openAs('viewer', '/org/devices');
    await page.getByRole('heading', { name: 'Devices' }).waitFor();
    await onPage(page.getByRole('checkbox')).toHaveCount(0);
    await onPage(page.getByRole('link', { name: 'Import' })).toHaveCount(0);
  });
});
