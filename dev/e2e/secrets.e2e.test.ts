import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { useBrowser } from './support/browser.ts';
import { demoDevice } from './support/demo.ts';
import { openAs, type Role } from './support/people.ts';

useBrowser();

/** Everything secret about the running system; what browsers are meant to know is left out. */
function secrets(): [string, string][] {
  const folder = dirname(dirname(inject('world').mqtts_ca));
  const all = JSON.parse(readFileSync(join(folder, 'secrets.json'), 'utf8')) as Record<string, string>;
  return Object.entries(all).filter(([name]) => name !== 'publishableKey');
}

test.each([
  ['org_admin', ['/org', '/org/devices', '/org/settings/keys', '/org/settings/provisioning']],
  ['admin', ['/', '/?tab=users']],
  ['tenant', ['/portal/room']],
] as [Role, string[]][])('nothing that %s downloads holds a secret of the servers', async (role, paths) => {
  const page = await openAs(role);
  const texts: [string, string][] = [];
  const reading: Promise<unknown>[] = [];
  page.on('response', (answer) => {
    const read = answer.text().then(
      (text) => texts.push([answer.url(), `${JSON.stringify(answer.headers())}\n${text}`]),
      () => undefined,
    );
    reading.push(read);
  });
  page.on('websocket', (socket) => texts.push([socket.url(), socket.url()]));
  if (role === 'org_admin') paths.push(`/org/devices/${await demoDevice()}`);
  for (const path of paths) {
    await page.goto(path);
    await page.getByRole('heading', { level: 1 }).first().waitFor();
  }
  await Promise.all(reading);
  expect(texts.some(([url]) => url.endsWith('.js'))).toBe(true);
  expect(secrets().length).toBeGreaterThan(4);
  for (const [name, secret] of secrets())
    expect(
      texts.filter(([, text]) => text.includes(secret)).map(([url]) => url),
      name,
    ).toEqual([]);
});
