import { chromium, type Browser, type BrowserContextOptions, type Page } from '@playwright/test';
import { afterAll, beforeAll, inject, onTestFinished } from 'vitest';
import { chromium as program, findOrInstall, missingSentence } from '../../scripts/test/programs.ts';

/** A host name that resolves to this machine in the tests' browser only: a white-label address. */
export const SECOND_HOST = 'fleet.acme.test';

let browser: Browser | undefined;

/** Call once at the top of a file of flows: its tests share one browser, each with a profile of its own. */
export function useBrowser(): void {
  beforeAll(async () => {
    const executablePath = findOrInstall(program);
    if (!executablePath) throw new Error(missingSentence(program));
    browser = await chromium.launch({
      executablePath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
        `--host-resolver-rules=MAP ${SECOND_HOST} 127.0.0.1`,
      ],
    });
  });
  afterAll(() => browser?.close());
}

/** A page in a fresh profile, closed when the test ends. Uncaught errors and broken content policies fail the test. */
export async function openPage(options: BrowserContextOptions = {}): Promise<Page> {
  if (!browser) throw new Error('Call useBrowser() at the top of the file.');
  const { web_url } = inject('world');
  const context = await browser.newContext({
    baseURL: web_url,
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    reducedMotion: 'reduce',
    colorScheme: 'light',
    ...options,
  });
  const page = await context.newPage();
  const errors: Error[] = [];
  page.on('pageerror', (error) => errors.push(error));
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy'))
      errors.push(new Error(message.text().slice(-300)));
  });
  onTestFinished(async () => {
    await context.close();
    if (errors[0]) throw errors[0];
  });
  return page;
}
