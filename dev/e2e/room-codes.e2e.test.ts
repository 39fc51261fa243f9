import { readFileSync } from 'node:fs';
import { expect as onPage } from '@playwright/test';
import { describe, expect, test } from 'vitest';
import { useBrowser } from './support/browser.ts';
import { callApi, registerDevice } from './support/device.ts';
import { openAs, people } from './support/people.ts';

useBrowser();

interface Named {
  id: string;
  name: string;
}

async function acmeRoom(name: string): Promise<string> {
  const { memberships } = await callApi<{ memberships: { org_id: string | null }[] }>(
    people.org_admin,
    'GET',
    '/me',
  );
  const org = memberships.find(({ org_id }) => org_id !== null)?.org_id;
  const rooms = await callApi<Named[]>(people.org_admin, 'GET', `/orgs/${org}/rooms`);
  const found = rooms.find((room) => room.name === name);
  if (!found) throw new Error(`The demo has no room "${name}".`);
  return found.id;
}

describe('codes on doors and devices', () => {
  test('a room’s code is drawn, saved as SVG and PNG, and another one after rotating', async () => {
    const page = await openAs('org_admin', `/org/rooms/${await acmeRoom('Accounting')}`);
    const code = page.getByRole('img', { name: 'QR code to move into Accounting' });
    const make = page.getByRole('button', { name: 'Make a new code' });
    await code.or(make).waitFor();
    // A room has no code before somebody wants one.
    if (await make.isVisible()) await make.click();
    await code.waitFor();
    const before = await code.locator('path').last().getAttribute('d');

    for (const [button, begins] of [
      ['SVG', '<svg'],
      ['PNG', '\u0089PNG'],
    ] as const) {
      const saved = page.waitForEvent('download');
      await page.getByRole('button', { name: button }).click();
      const file = readFileSync(await (await saved).path(), 'latin1');
      expect(file.startsWith(begins)).toBe(true);
    }

    await page.getByRole('button', { name: 'Rotate the code' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Make a new code' }).click();
    await onPage.poll(() => code.locator('path').last().getAttribute('d')).not.toBe(before);
  });

  test('labels for many rooms are prepared at once, one for each', async () => {
    const page = await openAs('org_admin', '/org/rooms/print');
    await page.getByLabel('Sales').check();
    await page.getByLabel('Engineering').check();
    await page.getByRole('button', { name: 'Prepare 2 labels' }).click();
    await onPage(page.getByRole('article')).toHaveCount(2);
    await onPage(page.getByRole('img', { name: 'QR code of Sales' })).toBeVisible();

    await page.emulateMedia({ media: 'print' });
    await onPage(page.getByRole('article').first()).toBeVisible();
    await onPage(page.getByRole('navigation', { name: 'Places' }).first()).toBeHidden();
    await onPage(page.getByRole('heading', { name: 'Print room codes' })).toBeHidden();
  });

  test('a device’s claim code is made, drawn on a label, and forgotten with the page', async () => {
    const { serial } = await registerDevice(people.org_admin);
    const page = await openAs('org_admin', `/org/devices/${serial}/label`);
    await page.getByRole('button', { name: /code$/ }).click();
    const replace = page.getByRole('dialog').getByRole('button', { name: 'Make a new code' });
    const label = page.getByRole('img', { name: `QR code to claim ${serial}` });
    await onPage(replace.or(label)).toBeVisible();
    if (await replace.isVisible()) await replace.click();
    await onPage(label).toBeVisible();

    await page.reload();
    await onPage(page.getByText('A claim code is out there')).toBeVisible();
    await onPage(label).toHaveCount(0);
  });

  test('a viewer sees the room and its devices, and no code', async () => {
    const page = await openAs('viewer', `/org/rooms/${await acmeRoom('Sales')}`);
    await page.getByRole('heading', { level: 1, name: 'Sales' }).waitFor();
    await onPage(page.getByText('An org admin can show and print the code of this room.')).toBeVisible();
    await onPage(page.getByRole('button', { name: /code/i })).toHaveCount(0);
  });
});
