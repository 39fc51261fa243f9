import { randomBytes } from 'node:crypto';
import { expect as onPage } from '@playwright/test';
import { describe, expect, inject, test } from 'vitest';
import { useBrowser } from './support/browser.ts';
import { openAs } from './support/people.ts';

useBrowser();

interface Mail {
  to: string;
  subject: string;
  text: string;
}

async function mailTo(address: string): Promise<Mail | undefined> {
  const answer = await fetch(`${inject('world').mail_url}/api/messages`);
  return ((await answer.json()) as Mail[]).find((mail) => String(mail.to).includes(address));
}

describe('partners and the platform', () => {
  test('a partner creates an organisation, and its admin gets a mail', async () => {
    const name = `Site ${randomBytes(3).toString('hex')}`;
    const email = `${name.toLowerCase().replace(' ', '-')}@example.com`;
    const page = await openAs('partner', '/partner');
    await page.getByRole('button', { name: 'New organisation' }).click();
    await page.getByLabel('Name', { exact: true }).fill(name);
    await onPage(page.getByLabel('Short name')).toHaveValue(name.toLowerCase().replace(' ', '-'));
    await page.getByLabel('E-mail of its first admin').fill(email);
    await page.getByRole('button', { name: 'Create the organisation' }).click();

    await page.getByRole('heading', { level: 1, name }).waitFor();
    await onPage(page.getByRole('listitem').filter({ hasText: email })).toContainText('Org admin');
    await onPage.poll(() => mailTo(email), { timeout: 30_000 }).toBeDefined();

    await page.getByRole('button', { name: 'Open the organisation' }).click();
    await page.waitForURL('**/org');
    await onPage(page.getByRole('heading', { level: 1 })).toHaveText(
      'Your first device, live in five minutes',
    );
  });

  test('an admin finds organisations, partners, devices and people', async () => {
    const page = await openAs('admin', '/');
    await page.getByLabel('Name or short name').fill('harbour');
    await onPage(page).toHaveURL(/q=harbour/);
    await onPage(page.getByRole('button', { name: /Harbour Hotel/ })).toBeVisible();
    for (const [tab, label, q, found] of [
      ['Partners', 'Name or short name', 'northwind', 'Northwind Integrators'],
      ['Devices', 'Serial or name', 'HOTEL01', 'EC-CLM-HOTEL01'],
      ['People', 'Name or e-mail', 'tenant@', 'tenant@example.com'],
    ] as const) {
      await page
        .getByRole('navigation', { name: 'Parts of the platform' })
        .getByRole('link', { name: tab })
        .click();
      await page.getByLabel(label).fill(q);
      await onPage(page.getByText(found).first()).toBeVisible();
    }
  });

  test('nobody else comes in', async () => {
    for (const role of ['partner', 'org_admin', 'viewer'] as const) {
      const page = await openAs(role);
      await page.goto('/?tab=users');
      expect(new URL(page.url()).pathname).not.toBe('/');
    }
    const page = await openAs('org_admin');
    expect((await page.goto('/partner'))?.status()).toBe(403);
  });
});
