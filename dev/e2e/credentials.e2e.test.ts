import { expect as onPage } from '@playwright/test';
import { describe, expect, test } from 'vitest';
import { useBrowser } from './support/browser.ts';
import { registerDevice } from './support/device.ts';
import { openAs, people } from './support/people.ts';

useBrowser();

describe('a device’s events and credentials', () => {
  test('a packet that cannot be stored is shown with its reason, and harms nobody', async () => {
    const device = await registerDevice(people.org_admin);
    const telemetry = `devices/${device.serial}/telemetry`;
    await device.publish(telemetry, '[{"temp":20.5},{"__proto__":{"admin":true}},{"temp":"\\u0000"}]');
    await device.publish(telemetry, 'temp=21');

    const page = await openAs('viewer', `/org/devices/${device.serial}/events`);
    await onPage(page.getByText('temp=21')).toBeVisible();
    await onPage(page.getByText(/not json|not valid json/i).first()).toBeVisible();
    await page.goto(`/org/devices/${device.serial}`);
    await onPage(page.getByText('20.5').first()).toBeVisible();

    await page.goto('/org/refused');
    await onPage(page.getByText(device.serial).first()).toBeVisible();
  });

  test('rotating shows a new secret once that works at once; the old one works through the overlap', async () => {
    const device = await registerDevice(people.org_admin);
    const telemetry = `devices/${device.serial}/telemetry`;
    await device.publish(telemetry, '{"temp":20}');

    const page = await openAs('org_admin', `/org/devices/${device.serial}/settings`);
    await page.getByRole('button', { name: /rotate/i }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /rotate|new secret/i })
      .click();
    const secret = /ec_dev_[\w-]+/.exec(
      await page
        .getByText(/ec_dev_/)
        .first()
        .innerText(),
    )![0];
    expect(secret).not.toBe(device.secret);

    await device.withSecret(secret).publish(telemetry, '{"temp":21}');
    await device.publish(telemetry, '{"temp":22}');
    await page.reload();
    await onPage(page.getByText(secret)).toHaveCount(0);
  });

  test('revoking asks first, and then nobody gets in with that secret', async () => {
    const device = await registerDevice(people.org_admin);
    const telemetry = `devices/${device.serial}/telemetry`;
    await device.publish(telemetry, '{"temp":20}');

    const page = await openAs('org_admin', `/org/devices/${device.serial}/settings`);
    await page
      .getByRole('button', { name: /revoke/i })
      .first()
      .click();
    await page
      .getByRole('alertdialog')
      .or(page.getByRole('dialog'))
      .getByRole('button', { name: /revoke/i })
      .click();
    await onPage(page.getByText(/revoked/i).first()).toBeVisible();
    await expect(device.publish(telemetry, '{"temp":21}')).rejects.toThrow(/mosquitto_pub ended/);
  });

  test('a viewer is not offered to change credentials', async () => {
    const device = await registerDevice(people.org_admin);
    const page = await openAs('viewer', `/org/devices/${device.serial}/settings`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await onPage(page.getByRole('button', { name: /rotate|revoke/i })).toHaveCount(0);
  });
});
