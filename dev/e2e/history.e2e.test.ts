import { expect as onPage, type Page } from '@playwright/test';
import { describe, expect, test } from 'vitest';
import { useBrowser } from './support/browser.ts';
import { openAs } from './support/people.ts';
import { demoDevice } from './support/demo.ts';

useBrowser();

const ranges = { 'Last hour': 1, 'Last 6 hours': 6, 'Last 24 hours': 24, 'Last 7 days': 168 };

/** The page's next answer from the chart route, with the hours it asked for. */
const chartAnswer = (page: Page, hours: number) =>
  page.waitForResponse(
    (answer) => answer.url().includes('/telemetry?') && answer.url().includes(`hours=${hours}`),
  );

interface Buckets {
  bucket_s: number;
  series: Record<string, ([number, number, number, number] | null)[]>;
}

describe('history', () => {
  test('every range shows a chart of at most 600 points a series, with readings in it', async () => {
    const page = await openAs('viewer', `/org/devices/${await demoDevice()}/history`);
    await onPage(page.locator('canvas').first()).toBeVisible();

    for (const [name, hours] of Object.entries(ranges)) {
      const button = page.getByRole('button', { name });
      if ((await button.getAttribute('aria-pressed')) === 'true') continue;
      const answer = chartAnswer(page, hours);
      await button.click();
      const { series } = (await (await answer).json()) as Buckets;
      await onPage(button).toHaveAttribute('aria-pressed', 'true');
      const temperatures = series['temp'] ?? [];
      expect(temperatures.length, name).toBeLessThanOrEqual(600);
      expect(temperatures.filter(Boolean).length, name).toBeGreaterThan(0);
    }
  });

  test('a metric can be hidden and shown, in the chart and in the table that says it in words', async () => {
    const page = await openAs('viewer', `/org/devices/${await demoDevice()}/history`);
    const toggle = page.getByRole('group', { name: 'Metrics' }).getByRole('button', { name: /humidity/i });
    const row = page.getByRole('rowheader', { name: /humidity/i });
    await onPage(toggle).toHaveAttribute('aria-pressed', 'true');
    await onPage(row).toBeVisible();

    await toggle.click();
    await onPage(toggle).toHaveAttribute('aria-pressed', 'false');
    await onPage(row).toBeHidden();

    await toggle.click();
    await onPage(row).toBeVisible();
  });
});
