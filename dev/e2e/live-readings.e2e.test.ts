import { expect as onPage } from '@playwright/test';
import { describe, expect, test } from 'vitest';
import { useBrowser } from './support/browser.ts';
import { registerDevice } from './support/device.ts';
import { openAs, people } from './support/people.ts';

useBrowser();

/** From the moment the client starts to publish: connecting, TLS, storing and drawing included. */
const LIVE_LIMIT_MS = 1000;

describe('live readings', () => {
  test('what a device publishes stands on its card within a second, without a reload', async () => {
    const device = await registerDevice(people.org_admin);
    const page = await openAs('org_admin', `/org/devices/${device.serial}`);
    await onPage(page.getByRole('status').filter({ hasText: /^\s*Live/ })).toBeVisible();
    await page.evaluate(() => Object.assign(window, { sameDocument: true }));

    const delays: number[] = [];
    for (const temp of [21.4, 22.6, 23.8]) {
      const shown = page.getByText(String(temp)).first().waitFor();
      const published = performance.now();
      await device.publish(`devices/${device.serial}/telemetry`, JSON.stringify({ temp, hum: 44 }));
      await shown;
      delays.push(performance.now() - published);
    }

    expect(Math.max(...delays)).toBeLessThan(LIVE_LIMIT_MS);
    expect(await page.evaluate(() => 'sameDocument' in window)).toBe(true);
  });

  test('the fleet overview moves too, and counts the device as online', async () => {
    const device = await registerDevice(people.org_admin);
    await device.publish(`devices/${device.serial}/telemetry`, '{"temp":19.1}');
    const page = await openAs('viewer', `/org/devices?q=${device.serial}`);
    const row = page.getByRole('row').filter({ hasText: device.serial });
    await onPage(row).toContainText('Online');
    await onPage(row).toContainText('19.1');
    await onPage(page.getByRole('status').filter({ hasText: /^\s*Live/ })).toBeVisible();

    await device.publish(`devices/${device.serial}/telemetry`, '{"temperature":27.3}');
    await onPage(row).toContainText('27.3', { timeout: 2000 });
  });

  test('without the live socket the page asks by itself, and says so', async () => {
    const device = await registerDevice(people.org_admin);
    const page = await openAs('org_admin');
    await page.routeWebSocket(/realtime/, (socket) => void socket.close());
    await page.goto(`/org/devices/${device.serial}`);
    await onPage(page.getByRole('status').filter({ hasText: /^\s*Polling/ })).toBeVisible({
      timeout: 20_000,
    });

    await device.publish(`devices/${device.serial}/telemetry`, '{"temp":25.7}');
    await onPage(page.getByText('25.7').first()).toBeVisible({ timeout: 15_000 });
  });
});
