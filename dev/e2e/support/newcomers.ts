import { randomBytes } from 'node:crypto';
import type { Page } from '@playwright/test';
import pg from 'pg';
import { inject } from 'vitest';
import { userCreator } from '../../stack/admin-user.ts';
import { openPage } from './browser.ts';
import { callApi, pathOf } from './device.ts';
import { linkFor } from './mail.ts';
import { fillSignIn, people } from './people.ts';

/** An address that nobody has had before. */
export const newAddress = (name: string): string => `${name}-${randomBytes(4).toString('hex')}@example.com`;

const databaseUrl = (): string => inject('world').db_url.replace('//postgres:', '//supabase_admin:');

/** Somebody with an account and the demo's password, and no role anywhere. */
export async function newAccount(name: string): Promise<string> {
  const email = newAddress(name);
  await userCreator(databaseUrl())(email, inject('world').admin.password, name);
  return email;
}

/** Changes what no API can, such as the time: one statement as the owner of the database. */
export async function inDatabase(sql: string, values: unknown[]): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl() });
  await client.connect();
  try {
    await client.query(sql, values);
  } finally {
    await client.end();
  }
}

interface Named {
  id: string;
  name: string;
}

/** The org that the person of the demo belongs to. */
export async function orgOf(email: string): Promise<string> {
  const orgs = await callApi<Named[]>(email, 'GET', '/orgs');
  return orgs[0]!.id;
}

export const HOTEL = 'hotel@example.com';

/** A room of its own in the demo's hotel, with the path that its sheet's code opens. */
export async function newRoom(name: string): Promise<{ id: string; name: string; claimPath: string }> {
  const org = await orgOf(HOTEL);
  const full = `${name} ${randomBytes(3).toString('hex')}`;
  const room = await callApi<Named>(HOTEL, 'POST', `/orgs/${org}/rooms`, { name: full });
  return { ...room, claimPath: await roomCode(room.id) };
}

/** A new code for the room; the one before ends. */
export async function roomCode(room: string): Promise<string> {
  const { claim_url } = await callApi<{ claim_url: string }>(HOTEL, 'POST', `/rooms/${room}/code`, {});
  return pathOf(claim_url);
}

/** Gives somebody who has an account a role in the demo's org, as they would take it themselves. */
export async function join(email: string, role: 'org_admin' | 'operator' | 'viewer'): Promise<string> {
  const org = await orgOf(people.org_admin);
  await callApi(people.org_admin, 'POST', `/orgs/${org}/invitations`, { email, role });
  const path = await linkFor(email, '/invite');
  const token = new URLSearchParams(path.split('?')[1]).get('token');
  const { membership } = await callApi<{ membership: { id: string } }>(email, 'POST', '/invitations/accept', {
    token,
  });
  return membership.id;
}

/** A browser in which that person has signed in with the demo's password, at `path`. */
export async function signInAs(email: string, path = '/'): Promise<Page> {
  const page = await openPage();
  await page.goto(`/sign-in?next=${encodeURIComponent(path)}`);
  await fillSignIn(page, email, inject('world').admin.password);
  await page.waitForURL((url) => url.pathname !== '/sign-in');
  return page;
}
