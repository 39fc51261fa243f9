/**
 * Starting: `npm start`'s machine form on an empty data folder and again on the same one, each until everything
 * answers, and until the first reading of a demo device can be read through the API as its card reads it.
 *
 *   node dev/bench/startup.ts [--rounds 3]
 */
import { mkdtempSync, chmodSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiSession } from '../stack/demo/api.ts';
import { PASSWORD } from '../stack/demo/plan.ts';
import { startStack } from '../stack/testing.ts';
import { benchOptions } from './lab/options.ts';
import { percentiles, type Percentiles } from './lab/percentiles.ts';
import { keepResult } from './lab/results.ts';
import { say } from './lab/say.ts';

const { common, own } = benchOptions('startup', { rounds: 3 });

const times: Record<string, number[]> = {};
for (let round = 0; round < own.rounds; round++) {
  const dataDir = mkdtempSync(join(tmpdir(), 'ec-startup-'));
  chmodSync(dataDir, 0o755);
  try {
    await start('first start', dataDir);
    await start('second start', dataDir);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}
const steps: Record<string, Percentiles> = {};
for (const [step, seconds] of Object.entries(times)) steps[step] = percentiles(seconds);
keepResult(common.name, own, {}, { steps });

async function start(which: string, dataDir: string): Promise<void> {
  const began = performance.now();
  const since = (): number => (performance.now() - began) / 1_000;
  const startedAt = Date.now();
  const stack = await startStack({ demo: true, dataDir, portBase: common.portBase });
  note(`${which}: everything answers, charts are full`, since());
  const { api_url, supabase_url, publishable_key } = stack.facts;
  const session = await ApiSession.signIn(
    { api_url: api_url!, supabase_url: supabase_url!, publishable_key },
    'org@example.com',
    PASSWORD,
  );
  for (;;) {
    const device = (await session.call('GET', '/devices/EC-CLM-ACME09')) as {
      last_telemetry_at: string | null;
    };
    if (device.last_telemetry_at && Date.parse(device.last_telemetry_at) > startedAt) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  note(`${which}: first live card`, since());
  await stack.stop();
}

function note(step: string, seconds: number): void {
  (times[step] ??= []).push(seconds);
  say(`${step}: ${seconds.toFixed(1)} s`);
}
