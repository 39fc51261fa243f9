import { expect as onPage } from '@playwright/test';
import { describe, expect, test } from 'vitest';
import { openPage, useBrowser } from './support/browser.ts';
import { callApi } from './support/device.ts';
import { codeFor, linkFor, mailsTo } from './support/mail.ts';
import { newAccount, newAddress, orgOf, signInAs } from './support/newcomers.ts';
import { people } from './support/people.ts';

useBrowser();

interface Invitation {
  id: string;
  state: string;
}

async function invite(email: string, role: string): Promise<Invitation> {
  const org = await orgOf(people.org_admin);
  return callApi(people.org_admin, 'POST', `/orgs/${org}/invitations`, { email, role });
}

describe('an invitation', () => {
  test('is mailed, accepted with the code of a second mail, and leads to the home of its role', async () => {
    const email = newAddress('invited');
    await invite(email, 'viewer');
    const link = await linkFor(email, '/invite');
    const page = await openPage({ viewport: { width: 390, height: 844 } });
    await page.goto(link);
    expect(page.url(), 'the token is in no address bar').not.toContain('token');
    await onPage(page.getByRole('heading', { level: 1 })).toHaveText('Acme Manufacturing');
    await onPage(page.getByRole('main')).toContainText(email);
    await onPage(page.getByRole('main')).toContainText('Viewer');

    const seen = (await mailsTo(email)).length;
    await page.getByRole('button', { name: 'Send me a code' }).click();
    await page.getByLabel('6-digit code').fill(await codeFor(email, seen));
    await page.getByRole('button', { name: 'Accept' }).click();
    await page.waitForURL(/\/org$/);
    await page.getByRole('heading', { level: 1 }).waitFor();

    const later = await openPage();
    await later.goto(link);
    await onPage(later.getByRole('heading', { level: 1 })).toHaveText('This invitation was accepted already');
  });

  test('leads a customer to the portal', async () => {
    const email = await newAccount('customer');
    await invite(email, 'customer');
    const page = await signInAs(email, await linkFor(email, '/invite'));
    await page.getByRole('button', { name: 'Accept' }).click();
    await page.waitForURL(/\/portal$/);
  });

  test('for somebody else is refused, in words, to whoever has the link', async () => {
    const [email, other] = [newAddress('invited'), await newAccount('other')];
    await invite(email, 'operator');
    const link = await linkFor(email, '/invite');
    const page = await signInAs(other, link);
    await onPage(page.getByRole('alert')).toContainText('An invitation only works for its own address.');
    await onPage(page.getByRole('button', { name: 'Accept' })).toHaveCount(0);
    const token = new URLSearchParams(link.split('?')[1]).get('token');
    await expect(callApi(other, 'POST', '/invitations/accept', { token })).rejects.toThrow(/ 403 /);
  });

  test('that was withdrawn opens nothing, and one sent again replaces the link before', async () => {
    const email = newAddress('twice');
    const { id } = await invite(email, 'viewer');
    const first = await linkFor(email, '/invite');
    await callApi(people.org_admin, 'POST', `/invitations/${id}/resend`);
    const second = await linkFor(email, '/invite', 1);
    expect(second).not.toBe(first);
    const page = await openPage();
    const title = page.getByRole('heading', { level: 1 });
    await page.goto(first);
    await onPage(title).toHaveText('We do not know this invitation');
    await page.goto(second);
    await onPage(title).toHaveText('Acme Manufacturing');
    await callApi(people.org_admin, 'DELETE', `/invitations/${id}`);
    await page.goto(second);
    await onPage(title).toHaveText('This invitation was withdrawn');
  });

  test('is accepted once, also when two tabs do it at the same time', async () => {
    const email = await newAccount('eager');
    await invite(email, 'viewer');
    const token = new URLSearchParams((await linkFor(email, '/invite')).split('?')[1]).get('token');
    const accept = () =>
      callApi<{ membership: { id: string } }>(email, 'POST', '/invitations/accept', { token });
    const [one, two] = await Promise.all([accept(), accept()]);
    expect(one.membership.id).toBe(two.membership.id);
    const { memberships } = await callApi<{ memberships: unknown[] }>(email, 'GET', '/me');
    expect(memberships).toHaveLength(1);
  });
});
