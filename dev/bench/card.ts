/**
 * Device → browser: 200 devices at their 5-second beat on the whole local stack, an organisation's home page in
 * Chromium, and the time from the moment a reading was due until its value stands in the card's text.
 *
 *   node dev/bench/card.ts [--devices 200] [--seconds 60]
 */
import { join } from 'node:path';
import { chromium, type Page } from '@playwright/test';
import { chromium as program, findOrInstall, missingSentence } from '../scripts/test/programs.ts';
import { ADMINISTRATOR, ensureAdministrator } from './lab/administrator.ts';
import { labDevices } from './lab/devices.ts';
import { benchOptions } from './lab/options.ts';
import { percentiles, type Percentiles } from './lab/percentiles.ts';
import { startProduct } from './lab/product.ts';
import { keepResult } from './lab/results.ts';
import { say } from './lab/say.ts';
import { Beats } from './load/beats.ts';

const { common, own } = benchOptions('card', { devices: 200, seconds: 60 });
const WARM_UP_MS = 10_000;

interface Shown {
  serial: string;
  value: number;
  at: number;
}

const executablePath = findOrInstall(program);
if (!executablePath) throw new Error(missingSentence(program));
const product = await startProduct({
  dataDir: join(common.dataDir, 'screens'),
  portBase: common.portBase,
  only: ['web', 'bridge', 'realtime', 'cron'],
});
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
const views: { view: string; shown: number; missed: number; ms: Percentiles }[] = [];
try {
  const devices = await labDevices(product, own.devices);
  await ensureAdministrator(product);
  const beats = await Beats.connect(
    { host: '127.0.0.1', port: Number(new URL(product.facts.mqtt_url!).port) },
    devices.map(({ serial, secret }) => ({ username: serial, password: secret })),
  );
  beats.start(5_000);
  const page = await browser.newPage({
    baseURL: product.facts.web_url!,
    viewport: { width: 1280, height: 900 },
  });
  await signIn(page);
  views.push(await watch(page, beats, 'organisation home, 12 cards', '/org'));
  views.push(await watch(page, beats, 'device page', `/org/devices/${devices[0]!.serial}`));
  beats.stop();
  keepResult(common.name, own, await product.conditions(), { views });
} finally {
  await browser.close();
  await product.stop();
}

async function signIn(page: Page): Promise<void> {
  await page.goto('/sign-in');
  await page.getByLabel('Email').fill(ADMINISTRATOR.email);
  await page.getByLabel('Password', { exact: true }).fill(ADMINISTRATOR.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForURL((url) => url.pathname !== '/sign-in');
}

async function watch(page: Page, beats: Beats, view: string, path: string): Promise<(typeof views)[number]> {
  await page.goto(path);
  await page.getByText('ppm').first().waitFor();
  await page.evaluate(observe);
  const from = Date.now() + WARM_UP_MS;
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS + own.seconds * 1_000));
  const until = Date.now() - 2_000;
  const shown = await page.evaluate(() => (window as unknown as { shown: Shown[] }).shown);
  const onPage = new Set(shown.map(({ serial }) => serial));
  const first = new Map<string, number>();
  for (const { serial, value, at } of shown) {
    const key = `${serial} ${value}`;
    if (!first.has(key)) first.set(key, at);
  }
  const due = beats.due.filter(({ serial, at }) => onPage.has(serial) && at >= from && at < until);
  const times = due.flatMap(({ serial, value, at }) => {
    const seen = first.get(`${serial} ${value}`);
    return seen === undefined ? [] : [seen - at];
  });
  const outcome = { view, shown: times.length, missed: due.length - times.length, ms: percentiles(times) };
  say(
    `${view}: ${times.length} readings seen, ${outcome.missed} not; p50 ${outcome.ms.p50} ms, p99 ${outcome.ms.p99} ms`,
  );
  return outcome;
}

/** Runs in the page: notes when a device's CO₂ value appears in the text of its card (or of the whole page). */
function observe(): void {
  const shown: Shown[] = [];
  const last = new Map<string, number>();
  (window as unknown as { shown: Shown[] }).shown = shown;
  const note = (element: Element): void => {
    const text = element.textContent ?? '';
    const serial = /EC-BENCH-\d{5}/.exec(text)?.[0];
    const value = Number(/CO(?:₂|2)\D*?([\d,.]+)\s*ppm/.exec(text)?.[1]?.replace(/[,.]/g, '') ?? Number.NaN);
    if (!serial || Number.isNaN(value) || last.get(serial) === value) return;
    last.set(serial, value);
    shown.push({ serial, value, at: performance.timeOrigin + performance.now() });
  };
  const cards = [...document.querySelectorAll('a[href*="EC-BENCH-"]')].filter((card) =>
    /ppm/.test(card.textContent ?? ''),
  );
  const targets = cards.length > 0 ? cards : [document.querySelector('main') ?? document.body];
  for (const target of targets)
    new MutationObserver(() => note(target)).observe(target, {
      subtree: true,
      childList: true,
      characterData: true,
    });
}
