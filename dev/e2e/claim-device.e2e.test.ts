import { expect as onPage, type Page } from '@playwright/test';
import { describe, expect, test } from 'vitest';
import { openPage, useBrowser } from './support/browser.ts';
import { callApi, pathOf, registerDevice } from './support/device.ts';
import { codeFor } from './support/mail.ts';
import { HOTEL, inDatabase, newAccount, newAddress, orgOf, signInAs } from './support/newcomers.ts';
import { people } from './support/people.ts';

useBrowser();

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const MOST_SCREENS = 3;
const MOST_FIELDS = 2;

/** Counts what a person goes through: screens that say something new, and fields they type into. */
function counting(page: Page) {
  let fields = 0;
  const screens: string[] = [];
  return {
    async type(label: string, text: string) {
      fields++;
      await page.getByLabel(label).fill(text);
    },
    async screen(name: string, shown: ReturnType<Page['getByRole']>) {
      await shown.waitFor();
      screens.push(name);
    },
    get fields() {
      return fields;
    },
    screens,
  };
}

async function newCode(serial: string, by: string = people.org_admin): Promise<string> {
  const { claim_url } = await callApi<{ claim_url: string }>(by, 'POST', `/devices/${serial}/claim-code`);
  return pathOf(claim_url);
}

describe('a device’s QR code', () => {
  test('leads somebody new to its live reading: three screens, two typed fields', async () => {
    const device = await registerDevice(people.org_admin);
    const email = newAddress('scanner');
    const page = await openPage(PHONE);
    const path = counting(page);

    await page.goto(device.claimPath!);
    await path.screen('whose device, and an address', page.getByRole('heading', { name: 'Add this device' }));
    await onPage(page.getByText(device.serial)).toBeVisible();
    expect(page.url(), 'the code is in no address bar').not.toContain('code=');
    await path.type('Your email', email);
    await page.getByRole('button', { name: 'Send me a code' }).click();

    await path.screen('the code of the mail', page.getByRole('textbox', { name: '6-digit code' }));
    await path.type('6-digit code', await codeFor(email));
    await page.getByRole('button', { name: 'Add the device' }).click();

    const reading = page.getByRole('region', { name: 'First reading' });
    await path.screen('it is yours', reading);
    await device.publish(`devices/${device.serial}/telemetry`, '{"temp":21.7,"hum":46}');
    await onPage(reading).toContainText('21.7');
    expect(path.screens.length).toBeLessThanOrEqual(MOST_SCREENS);
    expect(path.fields).toBeLessThanOrEqual(MOST_FIELDS);

    await device.publish(`devices/${device.serial}/telemetry`, '{"temp":23.9,"hum":46}');
    await onPage(reading, 'without a reload').toContainText('23.9');
    await page.getByRole('link', { name: 'See the device' }).click();
    await page.waitForURL(`**/portal/devices/${device.serial}`);
    await page.goto('/');
    await page.waitForURL('**/portal');
    await onPage(page.getByRole('main')).toContainText(device.serial);
  });

  test('a wrong mailed code is said in words and costs nothing that was typed', async () => {
    const device = await registerDevice(people.org_admin);
    const email = newAddress('mistyped');
    const page = await openPage(PHONE);
    await page.goto(device.claimPath!);
    await page.getByLabel('Your email').fill(email);
    await page.getByRole('button', { name: 'Send me a code' }).click();
    const right = await codeFor(email);
    await page.getByLabel('6-digit code').fill(right === '000000' ? '000001' : '000000');
    await page.getByRole('button', { name: 'Add the device' }).click();
    await page.getByRole('alert').waitFor();
    await onPage(page.getByText(email)).toBeVisible();
    await page.getByLabel('6-digit code').fill(right);
    await page.getByRole('button', { name: 'Add the device' }).click();
    await page.waitForURL(/\/claim\/done/);
  });

  test('goes on where it was when the phone was too slow to be alive at the first press', async () => {
    const device = await registerDevice(people.org_admin);
    const email = newAddress('slow');
    const page = await openPage(PHONE);
    // The first page never comes alive: its form is sent as browsers always could.
    await page.route(/\.js$/, () => undefined);
    await page.goto(device.claimPath!, { waitUntil: 'commit' });
    await page.getByLabel('Your email').fill(email);
    await page.unroute(/\.js$/);
    await page.getByRole('button', { name: 'Send me a code' }).click();
    await page.locator('html[data-alive]').waitFor();
    const right = await codeFor(email);
    await page.getByLabel('6-digit code').fill(right === '000000' ? '000001' : '000000');
    await page.getByRole('button', { name: 'Add the device' }).click();
    await page.getByRole('alert').waitFor();
    await onPage(page.getByText(email)).toBeVisible();
    await page.getByLabel('6-digit code').fill(right);
    await page.getByRole('button', { name: 'Add the device' }).click();
    await page.waitForURL(/\/claim\/done/);
  });

  test('takes one press for an org admin, into their org', async () => {
    const device = await registerDevice(people.org_admin);
    const page = await signInAs(HOTEL, device.claimPath!);
    await page.getByRole('button', { name: 'Add to Harbour Hotel' }).click();
    await page.waitForURL(/\/claim\/done/);
    await page.getByRole('link', { name: 'See the device' }).click();
    await page.waitForURL(`**/org/devices/${device.serial}`);
    // The maker’s org sees it no longer among its own.
    const org = await orgOf(people.org_admin);
    const rows = await callApi<unknown[]>(
      people.org_admin,
      'GET',
      `/devices?org_id=${org}&q=${device.serial}`,
    );
    expect(rows).toEqual([]);
  });
});

describe('a code that does not work any more says why:', () => {
  const titleAt = async (path: string): Promise<string> => {
    const page = await openPage(PHONE);
    await page.goto(path);
    return page.getByRole('heading', { level: 1 }).innerText();
  };

  test('used, given back', async () => {
    const device = await registerDevice(people.org_admin);
    const owner = await newAccount('owner');
    const query = new URLSearchParams(device.claimPath!.split('?')[1]);
    await callApi(owner, 'POST', '/claims', { serial: query.get('serial'), code: query.get('code') });
    expect(await titleAt(device.claimPath!)).toBe('This device has an owner already');
    const page = await signInAs(owner, device.claimPath!);
    await onPage(page.getByRole('heading', { level: 1 })).toHaveText('This device is yours already');
    await callApi(owner, 'POST', `/devices/${device.serial}/unclaim`);
    expect(await titleAt(device.claimPath!)).toBe('This code ended when the device was given back');
  });

  test('too old, replaced by a newer one', async () => {
    const device = await registerDevice(people.org_admin);
    await inDatabase(
      `update public.claim_codes set expires_at = now() - interval '1 minute'
       where device_id = (select id from public.devices where serial = $1)`,
      [device.serial],
    );
    expect(await titleAt(device.claimPath!)).toBe('This code is too old');
    const newer = await newCode(device.serial);
    await newCode(device.serial);
    expect(await titleAt(newer)).toBe('There is a newer code');
  });

  test('moved to another org, retired', async () => {
    const device = await registerDevice(people.org_admin);
    const [from, to] = [await orgOf(people.org_admin), await orgOf(HOTEL)];
    const moved = { serials: [device.serial], org_id: to };
    await callApi(people.partner, 'POST', `/orgs/${from}/devices/assign`, moved);
    expect(await titleAt(device.claimPath!)).toBe('This device has moved on');
    const last = await newCode(device.serial, HOTEL);
    await callApi(HOTEL, 'DELETE', `/devices/${device.serial}?force=true`);
    expect(await titleAt(last)).toBe('This device has been retired');
  });

  test('unknown, and after ten wrong tries not even the right one is looked at', async () => {
    expect(await titleAt('/claim?serial=NO-SUCH-DEVICE&code=never-issued')).toBe('We do not know this code');
    const device = await registerDevice(people.org_admin);
    const page = await openPage(PHONE);
    for (let n = 0; n < 10; n++) await page.goto(`/claim?serial=${device.serial}&code=wrong-code-${n}`);
    await onPage(page.getByRole('heading', { level: 1 })).toHaveText('We do not know this code');
    expect(await titleAt(device.claimPath!)).toBe('Too many tries');
  });
});
