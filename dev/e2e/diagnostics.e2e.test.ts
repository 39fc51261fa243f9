import { expect as onPage, type Page } from '@playwright/test';
import { describe, expect, test, vi } from 'vitest';
import { useBrowser } from './support/browser.ts';
import { demoDevice } from './support/demo.ts';
import { callApi, registerDevice, type Device } from './support/device.ts';
import { openAs, people } from './support/people.ts';
import { switchOn } from './support/virtual.ts';

useBrowser();

const path = (device: Device): string => `/org/devices/${device.serial}/diagnostics`;
const part = (page: Page, id: string) => page.locator(`[data-part="${id}"]`);
const send = (device: Device, packet: object): Promise<void> =>
  device.publish(`devices/${device.serial}/telemetry`, JSON.stringify(packet));

/** The broker acknowledges before they are stored; this waits until they are. */
const stored = (device: Device, packets: number): Promise<unknown> =>
  vi.waitFor(
    async () => {
      const path = `/devices/${device.serial}/diagnostics`;
      const { loss } = await callApi<{ loss: { received: number } | null }>(people.org_admin, 'GET', path);
      expect(loss?.received).toBe(packets);
    },
    { timeout: 20_000, interval: 200 },
  );

/** Three hours of a board that is ill in every way, a packet every three minutes. */
function illness(): object[] {
  const now = Date.now();
  return Array.from({ length: 60 }, (_, n) => ({
    ...{ ts: now - (60 - n) * 180_000, seq: n < 30 ? n : n + 3, bat: 3.44, signal: -91 },
    ...{ heap: 90_000 - n * 250, uptime: 3600 + n * 180, reboot_reason: 'PANIC' },
  }));
}

describe('the diagnostics of a device', () => {
  test('that is ill say what is wrong, by which limits, and what to do', async () => {
    const device = await registerDevice(people.org_admin);
    const packets = illness();
    await send(device, packets);
    await stored(device, packets.length);
    const page = await openAs('org_admin', path(device));
    const verdict = page.getByRole('region', { name: /things need a look/ });
    await onPage(verdict).toContainText('4 things need a look');
    for (const name of ['Battery', 'Signal', 'Memory', 'Packets'])
      await onPage(verdict.getByRole('link', { name })).toBeVisible();

    await onPage(part(page, 'battery')).toContainText('Nearly empty: 3.44 V, below 3.5 V.');
    await onPage(part(page, 'battery')).toContainText('Charge or swap the battery now.');
    await onPage(part(page, 'battery')).toContainText('Alert below 3.5 V');
    await onPage(part(page, 'signal')).toContainText('Wi-Fi, 0 of 4 bars');
    await onPage(part(page, 'signal')).toContainText('very weak');
    await onPage(part(page, 'memory')).toContainText(/Memory leak: free memory falls by 4\.\d KB an hour/);
    await onPage(part(page, 'memory').locator('canvas')).toBeVisible();
    await onPage(part(page, 'packets')).toContainText('3 packets of 63 never arrived: 4.8 %.');
    // All of it came at once, after it had waited: that says nothing about a clock.
    await onPage(part(page, 'clock')).not.toContainText('behind');
    await verdict.getByRole('link', { name: 'Memory' }).click();
    await onPage(part(page, 'memory')).toBeInViewport();
  });

  test('follow its packets while the page is open', async () => {
    const device = await registerDevice(people.org_admin);
    await send(device, { bat: 4.1, signal: -60, heap: 180_000, uptime: 500, seq: 1 });
    await stored(device, 1);
    const page = await openAs('org_admin', path(device));
    await onPage(part(page, 'battery')).toContainText('90%');
    await onPage(part(page, 'signal')).toContainText('3 of 4 bars');
    // The socket is joined when the first live value arrives, so it is sent until it is seen.
    await onPage(async () => {
      await send(device, { bat: 3.8, signal: -90, heap: 120_000, uptime: 505, seq: 2 });
      await onPage(part(page, 'battery')).toContainText('50%', { timeout: 2000 });
    }).toPass();
    await onPage(part(page, 'signal')).toContainText('0 of 4 bars');
    await onPage(part(page, 'memory')).toContainText('120.0kB');
  });

  test('tell a restart with its reason, and what each firmware version is worth', async () => {
    const device = await registerDevice(people.org_admin);
    await send(device, { uptime: 7200, fw_version: '1.0.0', reboot_reason: 'POWERON', seq: 9 });
    await stored(device, 1);
    const page = await openAs('org_admin', path(device));
    await onPage(part(page, 'restarts')).toContainText('2 h');
    await send(device, { uptime: 2, fw_version: '1.1.0', reboot_reason: 'PANIC', seq: 0 });
    await onPage(part(page, 'restarts')).toContainText('It crashed once in the last 24 hours.', {
      timeout: 20_000,
    });
    await onPage(part(page, 'restarts').getByRole('listitem').first()).toContainText('Crashed');
    await onPage(part(page, 'restarts').getByRole('listitem').first()).toContainText('Firmware 1.1.0 since');
    const versions = part(page, 'restarts').getByRole('row');
    await onPage(versions.filter({ hasText: '1.1.0' })).toContainText('no crash yet');
    await onPage(versions.filter({ hasText: '2 h' })).toContainText('1');
  });

  test('of a virtual device tell the restart it was asked for, what it loses, and how far its clock is off', async () => {
    const { serial, device } = await switchOn(people.org_admin);
    device.break({ drop: 0.4, skewMs: -8000 });
    const page = await openAs('org_admin', `/org/devices/${serial}/diagnostics`);
    await page.getByRole('button', { name: 'Restart' }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^Restart/ })
      .click();
    const newest = part(page, 'restarts').getByRole('listitem').first();
    await onPage(newest).toContainText('Restarted by software', { timeout: 20_000 });
    await onPage(async () => {
      await page.reload();
      await onPage(part(page, 'clock')).toContainText(/Its clock is [78](\.\d)? seconds behind\./, {
        timeout: 3000,
      });
      await onPage(part(page, 'packets')).toContainText(/packets of \d+ never arrived/, { timeout: 1000 });
    }).toPass({ timeout: 60_000, intervals: [3000] });
    await onPage(part(page, 'packets')).toContainText(
      'with QoS 1 and a buffer in the device nothing is lost',
    );
  }, 120_000);

  test('show where a tracker is on a map of our own, by the scale of its radio', async () => {
    const device = await registerDevice(people.org_admin, 'tracker');
    await send(device, {
      ...{
        gps_fix: true,
        sats: 9,
        ttff: 21.4,
        lat: 53.55012,
        lon: 10.00987,
        signal: -90,
        csq: 11,
        bat: 4,
        uptime: 60,
        seq: 0,
      },
    });
    await stored(device, 1);
    const page = await openAs('org_admin', path(device));
    const requests: string[] = [];
    page.on('request', (request) => requests.push(new URL(request.url()).host));
    await onPage(part(page, 'signal')).toContainText('GSM, 2 of 4 bars, CSQ 11');
    await onPage(part(page, 'place')).toContainText('53.55012, 10.00987');
    await onPage(part(page, 'place')).toContainText('The place is good to about 5 metres.');
    const map = part(page, 'place').getByRole('img');
    await onPage(map).toHaveAccessibleName(/north up.*53\.55012, 10\.00987/);
    await onPage(map).toContainText('50 m');
    await onPage(map).toContainText(/53\.55\d*° N/);
    const { host } = new URL(page.url());
    expect(requests.filter((other) => other !== host && !other.startsWith('127.0.0.1'))).toEqual([]);
  });

  test('say so when it never reported, and when nobody answers', async () => {
    const device = await registerDevice(people.org_admin);
    const page = await openAs('org_admin', path(device));
    await onPage(page.getByText('This device has not reported yet')).toBeVisible();
    await send(device, { bat: 4.1, uptime: 5, seq: 0 });
    await onPage(part(page, 'battery')).toContainText('90%', { timeout: 20_000 });
    await page.route(/\/api\/devices\/[^/]+\/diagnostics/, (route) => route.abort());
    await page.getByRole('button', { name: 'Last 6 hours' }).click();
    await onPage(page.getByText('Could not be renewed')).toBeVisible();
    await onPage(part(page, 'battery')).toContainText('90%');
  });

  test('fit a phone, with a week of a demo device', async () => {
    const serial = await demoDevice();
    const page = await openAs('org_admin', `/org/devices/${serial}/diagnostics`, {
      viewport: { width: 320, height: 640 },
    });
    await page.getByRole('button', { name: 'Last 7 days' }).click();
    await onPage(page.getByRole('button', { name: 'Last 7 days' })).toHaveAttribute('aria-pressed', 'true');
    await onPage(part(page, 'memory').locator('canvas')).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  });

  test('of somebody else’s device are not there', async () => {
    const device = await registerDevice(people.org_admin);
    await expect(
      callApi('hotel@example.com', 'GET', `/devices/${device.serial}/diagnostics`),
    ).rejects.toThrow('404');
  });
});
