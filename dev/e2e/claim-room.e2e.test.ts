import { expect as onPage } from '@playwright/test';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openPage, useBrowser } from './support/browser.ts';
import { callApi } from './support/device.ts';
import { codeFor } from './support/mail.ts';
import {
  HOTEL,
  inDatabase,
  newAccount,
  newAddress,
  newRoom,
  orgOf,
  roomCode,
  signInAs,
} from './support/newcomers.ts';

useBrowser();

const PHONE = { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true };

interface Tenant {
  id: string;
  email: string;
}

async function tenancyOf(room: string, email: string): Promise<string> {
  const tenants = await callApi<Tenant[]>(HOTEL, 'GET', `/rooms/${room}/tenants`);
  return tenants.find((tenant) => tenant.email === email)!.id;
}

async function moveIn(email: string, claimPath: string): Promise<void> {
  const query = new URLSearchParams(claimPath.split('?')[1]);
  await callApi(email, 'POST', '/room-claims', { room_id: query.get('room_id'), code: query.get('code') });
}

const dress = (org: string, brand: object): Promise<void> =>
  inDatabase('update public.orgs set brand = $2 where id = $1', [org, brand]);

describe('a room’s QR code', () => {
  test('shows whose room it is before anybody signs in, and leads somebody new to its climate', async () => {
    const room = await newRoom('Attic');
    const org = await orgOf(HOTEL);
    const brand = { name: 'Hafen Suites' };
    onTestFinished(() => dress(org, {}));
    await dress(org, brand);
    const email = newAddress('tenant');
    const page = await openPage(PHONE);
    await page.goto(room.claimPath);
    await onPage(page.getByRole('banner')).toContainText(brand.name);
    await onPage(page.getByRole('main')).toContainText(room.name);
    expect(page.url(), 'the code is in no address bar').not.toContain('code=');
    expect(await page.title()).toContain(brand.name);

    await page.getByLabel('Your email').fill(email);
    await page.getByRole('button', { name: 'Send me a code' }).click();
    await page.getByLabel('6-digit code').fill(await codeFor(email));
    await page.getByRole('button', { name: 'Show me my room' }).click();
    await page.waitForURL(/\/portal\/room/);
    await onPage(page.getByRole('main')).toContainText(room.name);
    await page.goto('/');
    await page.waitForURL(/\/portal\/room/);
  });

  test('moving out takes the room off the tenant’s screen, and the next request is refused', async () => {
    const room = await newRoom('Cabin');
    const email = await newAccount('leaving');
    await moveIn(email, room.claimPath);
    const page = await signInAs(email, '/portal/room');
    await onPage(page.getByRole('main')).toContainText(room.name);
    await callApi(HOTEL, 'DELETE', `/members/${await tenancyOf(room.id, email)}`);
    await expect(callApi(email, 'GET', `/rooms/${room.id}`)).rejects.toThrow(/ 40[34] /);
    await onPage(page.getByText(`${room.name} is not your room any more.`)).toBeVisible({ timeout: 20_000 });
    const answer = await page.goto('/portal/room');
    expect(answer?.status()).toBe(403);
  });

  test('rotating or revoking the code ends the sheet at once; who lives there stays', async () => {
    const room = await newRoom('Loft');
    const email = await newAccount('staying');
    await moveIn(email, room.claimPath);
    const page = await openPage(PHONE);
    const title = page.getByRole('heading', { level: 1 });

    const newer = await roomCode(room.id);
    await page.goto(room.claimPath);
    await onPage(title).toHaveText('There is a newer code for this room');
    await callApi(HOTEL, 'DELETE', `/rooms/${room.id}/code`);
    await page.goto(newer);
    await onPage(title).toHaveText('This code has been closed');
    await page.goto(`/claim-room?room_id=${room.id}&code=WRONGC0DEWRONGC0`);
    await onPage(title).toHaveText('We do not know this code');
    expect(await callApi(email, 'GET', `/rooms/${room.id}`)).toMatchObject({ name: room.name });
  });

  test('revoking it with everybody in it ends every tenancy', async () => {
    const room = await newRoom('Bunk');
    const emails = [await newAccount('one'), await newAccount('two')];
    for (const email of emails) await moveIn(email, room.claimPath);
    await callApi(HOTEL, 'DELETE', `/rooms/${room.id}/code?end_tenants=true`);
    for (const email of emails)
      await expect(callApi(email, 'GET', `/rooms/${room.id}`)).rejects.toThrow(/ 40[34] /);
  });
});
