import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { describe, expect, test } from 'vitest';
import { openPage, useBrowser } from './support/browser.ts';
import { places } from './support/pages.ts';
import { openAs } from './support/people.ts';

useBrowser();

const PHONE = { width: 320, height: 640 };

async function violations(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(
    ({ id, help, nodes }) => `${id} (${help}) at ${nodes.map((node) => String(node.target)).join(' · ')}`,
  );
}

/** Elements that reach beyond the right edge, for the message; the page's own width decides. */
function widest(limit: number): string[] {
  return [...document.body.querySelectorAll('*')]
    .filter((element) => element.getBoundingClientRect().right > limit)
    .slice(0, 5)
    .map((element) => `${element.tagName.toLowerCase()}.${element.className}`);
}

describe.each(await places())('$path ($role)', ({ role, path }) => {
  test('is there, accessible in light and dark, and fits a phone of 320 pixels', async () => {
    const page = role ? await openAs(role) : await openPage();
    const answer = await page.goto(path);
    expect(answer?.status()).toBeLessThan(400);
    await page.getByRole('heading', { level: 1 }).first().waitFor();
    await page.waitForFunction(
      () => document.querySelector('[aria-busy="true"], [aria-label^="Loading"]') === null,
    );
    expect(await violations(page)).toEqual([]);

    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await violations(page)).toEqual([]);

    await page.setViewportSize(PHONE);
    // Charts take a moment to follow a window that shrinks.
    await page
      .waitForFunction(() => document.documentElement.scrollWidth <= innerWidth, null, { timeout: 3000 })
      .catch(() => undefined);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    const culprits = width > PHONE.width ? await page.evaluate(widest, PHONE.width) : [];
    expect({ width, culprits }).toEqual({ width: PHONE.width, culprits: [] });
  });
});
