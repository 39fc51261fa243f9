import { AxeBuilder } from '@axe-core/playwright';
import type { BrowserContextOptions, Page } from '@playwright/test';
import { describe, expect, test } from 'vitest';
import { openPage, useBrowser } from './support/browser.ts';
import { byRole, places } from './support/pages.ts';
import { openAs } from './support/people.ts';

useBrowser();

/** Visits every page as somebody who may see it, once its content has replaced the skeleton. */
async function onEveryPage(
  options: BrowserContextOptions,
  look: (page: Page, path: string) => Promise<void>,
) {
  const visitor = await openPage(options);
  await visitor.goto('/sign-in');
  await look(visitor, '/sign-in');
  for (const [role, paths] of byRole(await places())) {
    const page = await openAs(role, undefined, options);
    for (const path of paths) {
      const answer = await page.goto(path);
      expect(answer?.status(), path).toBeLessThan(400);
      await page.getByRole('heading', { level: 1 }).first().waitFor();
      await page.waitForFunction(
        () => document.querySelector('[aria-busy="true"], [aria-label^="Loading"]') === null,
      );
      await look(page, `${path} as ${role}`);
    }
  }
}

async function violations(page: Page, path: string): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(
    ({ id, help, nodes }) =>
      `${path}: ${id} (${help}) at ${nodes.map((node) => String(node.target)).join(' · ')}`,
  );
}

describe('every page', () => {
  test.each(['light', 'dark'] as const)(
    'has no accessibility violation in %s',
    async (colorScheme) => {
      const found: string[] = [];
      await onEveryPage({ colorScheme }, async (page, path) => {
        found.push(...(await violations(page, path)));
      });
      expect(found).toEqual([]);
    },
    180_000,
  );

  test('fits a phone of 320 pixels without scrolling sideways', async () => {
    const wide: string[] = [];
    await onEveryPage(
      { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true },
      async (page, path) => {
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        if (width > 320) wide.push(`${path}: ${width} px`);
      },
    );
    expect(wide).toEqual([]);
  }, 180_000);
});
