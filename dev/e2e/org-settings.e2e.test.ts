import { randomBytes } from 'node:crypto';
import { expect as onPage } from '@playwright/test';
import { describe, expect, test } from 'vitest';
import { useBrowser } from './support/browser.ts';
import { callApi } from './support/device.ts';
import { openAs, people } from './support/people.ts';

useBrowser();

const unique = (prefix: string) => `${prefix} ${randomBytes(3).toString('hex')}`;

describe('the settings of an organisation', () => {
  test('an API key is shown once, works, and is refused after it was revoked', async () => {
    const page = await openAs('org_admin', '/org/settings/keys');
    const name = unique('Reporting');
    await page.getByRole('button', { name: 'New API key' }).click();
    await page.getByLabel('Name').fill(name);
    await page.getByRole('button', { name: 'Make the key' }).click();

    const shown = page.getByRole('dialog', { name: 'Your new API key' });
    const key = (await shown.locator('code').first().textContent()) ?? '';
    expect(key).toMatch(/^ec_live_/);
    const ask = () =>
      page.evaluate(
        (secret) =>
          fetch('/api/devices', { headers: { authorization: `Bearer ${secret}` } }).then((r) => r.status),
        key,
      );
    expect(await ask()).toBe(200);

    await page.keyboard.press('Escape');
    await onPage(shown).toBeVisible();
    await page.getByRole('button', { name: 'I have copied it' }).click();
    await onPage(page.getByText(key)).toHaveCount(0);

    await page.getByRole('button', { name: `Revoke ${name}` }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: `Revoke ${name}` })
      .click();
    await onPage(page.getByRole('listitem').filter({ hasText: name }).getByText('Revoked')).toBeVisible();
    expect(await ask()).toBe(401);
  });

  test('a place is added, renamed, put back by Undo, and deleted by typing its name', async () => {
    const page = await openAs('org_admin', '/org/settings/locations');
    const name = unique('Annex');
    await page.getByRole('button', { name: 'Add a place', exact: true }).click();
    await page.getByLabel('Kind').selectOption('building');
    await page.getByLabel('Name').fill(name);
    await page.getByRole('button', { name: 'Add the building' }).click();

    await page.getByRole('button', { name: `Change ${name}` }).click();
    await page.getByLabel('Name').fill(`${name} renamed`);
    await page.getByRole('button', { name: 'Save' }).click();
    await onPage(page.getByText(`${name} renamed`, { exact: true })).toBeVisible();
    await page.getByRole('button', { name: 'Undo' }).click();
    await onPage(page.getByText(name, { exact: true })).toBeVisible();

    await page.getByRole('button', { name: `Delete ${name}` }).click();
    const remove = page.getByRole('dialog').getByRole('button', { name: `Delete ${name}` });
    await onPage(remove).toBeDisabled();
    await page.getByLabel(/to go on$/).fill(name);
    await remove.click();
    await onPage(page.getByText(name, { exact: true })).toHaveCount(0);
  });

  test('somebody is invited by e-mail, and the invitation can be withdrawn', async () => {
    const page = await openAs('org_admin', '/org/settings/members');
    const email = `${unique('guest').replace(' ', '-')}@example.com`;
    await page.getByRole('button', { name: 'Invite somebody' }).click();
    await page.getByRole('dialog').getByLabel('E-mail').fill(email);
    await page.getByRole('dialog').getByLabel('Role').selectOption('operator');
    await page.getByRole('button', { name: 'Send the invitation' }).click();

    const invitation = page.getByRole('listitem').filter({ hasText: email });
    await onPage(invitation).toContainText('Operator');
    await page.getByRole('button', { name: `Withdraw the invitation of ${email}` }).click();
    await onPage(invitation).toHaveCount(0);
  });

  test('the audit log is filtered by its address and shows before and after', async () => {
    const { org_id } = await callApi<{ org_id: string }>(people.org_admin, 'GET', '/me').then(firstOrg);
    const zone = await callApi<{ timezone: string }>(people.org_admin, 'GET', `/orgs/${org_id}`);
    const other = zone.timezone === 'Europe/Vienna' ? 'Europe/Berlin' : 'Europe/Vienna';
    await callApi(people.org_admin, 'PATCH', `/orgs/${org_id}`, { timezone: other });
    await callApi(people.org_admin, 'PATCH', `/orgs/${org_id}`, { timezone: zone.timezone });

    const page = await openAs(
      'org_admin',
      `/org/settings/audit?action=org_updated&actor=${people.org_admin}`,
    );
    await onPage(page.getByLabel('What')).toHaveValue('org_updated');
    const newest = page.locator('ol > li').first();
    await newest.locator('summary').click();
    const row = newest.getByRole('row').filter({ hasText: 'timezone' });
    await onPage(row.locator('del')).toHaveText(other);
    await onPage(row.locator('ins')).toHaveText(zone.timezone);
  });

  test('a viewer reads what is open to them and meets no button that does nothing', async () => {
    const page = await openAs('viewer', '/org/settings/general');
    const sections = page.getByRole('navigation', { name: 'Settings' });
    await onPage(sections.getByRole('link')).toHaveText(['General', 'Members', 'Locations', 'Audit log']);
    await page.goto('/org/settings/members');
    await onPage(page.getByRole('button', { name: 'Invite somebody' })).toHaveCount(0);
    await page.goto('/org/settings/locations');
    await onPage(page.getByRole('button', { name: /^(Add|Change|Delete) / })).toHaveCount(0);
    await page.goto('/org/settings/keys');
    await onPage(page.getByText('Only org admins see the API keys')).toBeVisible();
  });
});

function firstOrg(me: object): { org_id: string } {
  const { memberships } = me as { memberships: { org_id: string | null }[] };
  const org_id = memberships.find((membership) => membership.org_id !== null)?.org_id;
  if (!org_id) throw new Error('The demo has no org admin with an organisation.');
  return { org_id };
}
