import type { BrowserContextOptions, Page } from '@playwright/test';
import { inject } from 'vitest';
import { openPage } from './browser.ts';

/** The demo's people, by the role they have. */
export const people = {
  admin: 'admin@example.com',
  partner: 'partner@example.com',
  org_admin: 'org@example.com',
  operator: 'operator@example.com',
  viewer: 'viewer@example.com',
  customer: 'customer@example.com',
  tenant: 'tenant@example.com',
} as const;
export type Role = keyof typeof people;

type Session = Awaited<ReturnType<ReturnType<Page['context']>['storageState']>>;
const sessions = new Map<Role, Session>();

/** Fills in the sign-in form that `page` shows and sends it. */
export async function fillSignIn(page: Page, email: string, password: string): Promise<void> {
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** A browser in which somebody of that role has just signed in and stands on the role's home. */
export async function signIn(role: Role, options?: BrowserContextOptions): Promise<Page> {
  const page = await openPage(options);
  await page.goto('/sign-in');
  await fillSignIn(page, people[role], inject('world').admin.password);
  await page.waitForURL((url) => url.pathname !== '/sign-in');
  return page;
}

/** A browser of somebody who signed in earlier (once for each file), at `path`, or nowhere yet. */
export async function openAs(role: Role, path?: string, options: BrowserContextOptions = {}): Promise<Page> {
  let session = sessions.get(role);
  if (!session) {
    const page = await signIn(role);
    session = await page.context().storageState();
    sessions.set(role, session);
  }
  const page = await openPage({ ...options, storageState: session });
  if (path) await goAlive(page, path);
  return page;
}

/** Goes to a page and waits until it hears what is pressed: before that a click on a button is lost. */
export async function goAlive(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await page.waitForSelector('html[data-alive]', { state: 'attached' });
}
