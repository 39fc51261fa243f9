/**
 * Button → device → screen: somebody changes what a device should be over the API, as the page does; the time until
 * the device has it, and until the confirmation arrives at the socket of a screen that shows this device.
 *
 *   node dev/bench/toggle.ts [--devices 200] [--toggles 500]
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { EdgeConductor } from '@edgeconductor/sdk';
import type { DeviceEvent } from '../../cli/src/simulate/index.ts';
import { ApiSession } from '../stack/demo/api.ts';
import { UpdateFleet } from '../stack/update-fleet.ts';
import { ADMINISTRATOR, ensureAdministrator } from './lab/administrator.ts';
import { benchOptions } from './lab/options.ts';
import { percentiles } from './lab/percentiles.ts';
import { startProduct } from './lab/product.ts';
import { keepResult } from './lab/results.ts';
import { say } from './lab/say.ts';
import { Screens } from './lab/screens.ts';

const { common, own } = benchOptions('toggle', { devices: 200, toggles: 500 });
/** Not counted: connections, plans and caches a running system has behind it. */
const WARM_UP = 50;
const GIVE_UP_MS = 10_000;
/** So many of the devices stand on a page that somebody has open. */
const PAGES = 20;

/** Who waits for `serial setpoint`, at the device and at the screen. */
const waiting = new Map<string, (at: number) => void>();
const hear = (place: 'device' | 'screen', serial: string, setpoint: unknown): void =>
  waiting.get(`${place} ${serial} ${String(setpoint)}`)?.(performance.now());

const product = await startProduct({
  dataDir: join(common.dataDir, 'toggle'),
  portBase: common.portBase,
  only: ['auth', 'api', 'bridge', 'realtime', 'cron'],
});
const prefix = `TGL${randomBytes(3).toString('hex').toUpperCase()}`;
const fleet = await UpdateFleet.create({
  ...{ facts: product.facts, prefix, count: own.devices, intervalS: 5, clock: true },
  onEvent: ({ kind, serial, detail }: DeviceEvent) => {
    if (kind === 'controlled') hear('device', serial, (detail as { setpoint?: number }).setpoint);
  },
});
try {
  await fleet.start();
  await ensureAdministrator(product, prefix.toLowerCase());
  const { api_url, supabase_url, publishable_key } = product.facts;
  const address = { api_url: api_url!, supabase_url: supabase_url!, publishable_key };
  const { token } = await ApiSession.signIn(address, ADMINISTRATOR.email, ADMINISTRATOR.password);
  const person = new EdgeConductor({ accessToken: () => token, baseUrl: api_url! });
  const toDevice: number[] = [];
  const toScreen: number[] = [];
  const toAnswer: number[] = [];
  const shown = fleet.devices.slice(0, PAGES).map(({ serial }) => serial);
  const asks = shown.map((serial) => `device:${serial}`);
  const screens = await Screens.open(product.facts, person, token, asks, (_event, { serial, reported }) =>
    hear('screen', String(serial), (reported as { setpoint?: number } | undefined)?.setpoint),
  );
  for (let n = 0; n < own.toggles + WARM_UP; n++) {
    const serial = shown[n % shown.length]!;
    const setpoint = 10 + ((n * 13) % 2_000) / 100;
    const device = moment(`device ${serial} ${setpoint}`);
    const screen = moment(`screen ${serial} ${setpoint}`);
    const from = performance.now();
    await person.devices.setDesired(serial, { setpoint });
    const answered = performance.now();
    const [did, seen] = await Promise.all([device, screen]);
    if (n >= WARM_UP) {
      toAnswer.push(answered - from);
      toDevice.push(did - from);
      toScreen.push(seen - from);
    }
    await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 40));
  }
  await screens.close();
  const outcome = {
    answer: percentiles(toAnswer),
    device: percentiles(toDevice),
    screen: percentiles(toScreen),
  };
  for (const [what, { p50, p95, p99, max }] of Object.entries(outcome))
    say(`${what}: p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms, max ${max} ms`);
  keepResult(common.name, own, await product.conditions(), outcome);
} finally {
  await fleet.stop();
  await product.stop();
}

/** When it is heard. */
function moment(what: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`nobody heard: ${what}`)), GIVE_UP_MS);
    waiting.set(what, (at) => {
      clearTimeout(timer);
      waiting.delete(what);
      resolve(at);
    });
  });
}
