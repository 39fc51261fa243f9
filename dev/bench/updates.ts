/**
 * Updates of a fleet: 1,000 online devices, some of which fail in each of five ways, and then a canary whose image
 * crashes. In the end platform and devices must agree about every one of them.
 *
 *   node dev/bench/updates.ts [--devices 1000] [--each 10] [--canary 10] [--kilobytes 128]
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { espImage } from '../../sdk/test/esp-image.ts';
import { CRASHES, type Faults } from '../../cli/src/simulate/index.ts';
import { UpdateFleet } from '../stack/update-fleet.ts';
import { benchOptions } from './lab/options.ts';
import { percentiles } from './lab/percentiles.ts';
import { startProduct } from './lab/product.ts';
import { keepResult } from './lab/results.ts';
import { say } from './lab/say.ts';

const { common, own } = benchOptions('updates', { devices: 1_000, each: 10, canary: 10, kilobytes: 128 });
/** A device that says nothing for so long is given up. */
const TIMEOUT_S = 90;

/** The five ways, and how an update of such a device ends. */
const FAULTS: { what: string; faults: Faults; ends: string }[] = [
  { what: 'corrupt download', faults: { corruptDownload: true }, ends: 'failed' },
  { what: 'image that crash-loops', faults: { badImage: true }, ends: 'rolled_back' },
  { what: 'power cut while installing', faults: { powerCutMidInstall: true }, ends: 'succeeded' },
  { what: 'refuses', faults: { refuses: true }, ends: 'rejected' },
  { what: 'silent', faults: { silent: true }, ends: 'timed_out' },
];

const product = await startProduct({
  dataDir: join(common.dataDir, 'updates'),
  portBase: common.portBase,
  only: ['auth', 'api', 'bridge', 'realtime', 'cron'],
});
const fleet = await UpdateFleet.create({
  facts: product.facts,
  prefix: `UPD${randomBytes(3).toString('hex').toUpperCase()}`,
  ...{ count: own.devices, intervalS: 10, clock: true },
  faults: (index) => FAULTS[Math.floor(index / own.each)]?.faults,
});
let clean = false;
try {
  await fleet.start();
  const all = await everyOne();
  const canary = await crashingCanary();
  clean = all.wrong.length === 0 && canary.wrong.length === 0;
  for (const line of [...all.wrong, ...canary.wrong]) say(line);
  keepResult(common.name, own, await product.conditions(), { all, canary });
} finally {
  await fleet.stop();
  await product.stop();
}
process.exit(clean ? 0 : 1);

async function everyOne() {
  const size = own.kilobytes * 1_024;
  const firmware = await fleet.upload(espImage({ version: '1.3.0', size }));
  const from = Date.now();
  const { id, targeted } = await fleet.update(firmware, { timeout_s: TIMEOUT_S });
  const job = await fleet.ended(id, 300_000);
  const told = fleet.devices.map(({ orderedAt }) => (orderedAt ?? Infinity) - from);
  const installed = (
    await product.query<{ ms: number }>(
      `select extract(epoch from e.finished_at)::float8 * 1000 - $2 as ms from public.ota_job_devices e
     where e.job_id = $1 and e.state = 'succeeded'`,
      [id, from],
    )
  ).rows.map(({ ms }) => ms);
  await fleet.settled();
  const wrong = await fleet.disagreements(id, '1.3.0');
  const believed = await fleet.believed(id);
  for (const { serial, faults, said } of fleet.devices) {
    const ends = FAULTS.find((one) => one.faults === faults)?.ends ?? 'succeeded';
    const { state } = believed.get(serial)!;
    if (state !== ends) wrong.push(`${serial}: ${JSON.stringify(faults)} ended ${state}`);
    if (said.filter((news) => news.state === 'installed').length > 1)
      wrong.push(`${serial}: installed twice`);
  }
  const outcome = {
    targeted,
    counts: job.counts,
    told: percentiles(told),
    installed: percentiles(installed),
    wrong,
  };
  say(
    `${targeted} devices: told p50 ${outcome.told.p50} ms, last ${outcome.told.max} ms; ${JSON.stringify(job.counts)}`,
  );
  return outcome;
}

async function crashingCanary() {
  const image = espImage({ version: '1.4.0', project: `${CRASHES} climate-node`, size: 50_000 });
  const firmware = await fleet.upload(image);
  for (const { device } of fleet.devices) device.break({});
  const from = Date.now();
  const { id, targeted } = await fleet.update(firmware, {
    stages: [{ count: own.canary }, { percent: 100 }],
  });
  const job = await fleet.ended(id, 120_000);
  const stopped_ms = Date.parse(job.finished_at!) - from;
  await fleet.settled();
  const wrong = await fleet.disagreements(id, '1.4.0');
  const believed = await fleet.believed(id);
  let outside = 0;
  for (const { serial, orders, said } of fleet.devices) {
    const inside = believed.get(serial)?.stage === 0;
    if (!inside && orders > 0) outside++;
    const last = said.at(-1);
    const back = last?.state === 'rolled_back' && last.reason === 'crash_loop';
    if (inside && !back) wrong.push(`${serial}: in the canary, ${JSON.stringify(last)}`);
  }
  if (outside > 0) wrong.push(`${outside} devices outside the canary heard of it`);
  if (job.state !== 'aborted') wrong.push(`the job is ${job.state}`);
  say(
    `canary of ${own.canary} among ${targeted}: ${job.state} after ${stopped_ms} ms, ${outside} outside heard of it`,
  );
  return { targeted, counts: job.counts, reason: job.abort_reason, stopped_ms, outside, wrong };
}
