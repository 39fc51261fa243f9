import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CRASHES } from '../../cli/src/simulate/index.ts';
import { espImage } from '../../sdk/test/esp-image.ts';
import { startStack, type TestStack } from './testing.ts';
import { UpdateFleet } from './update-fleet.ts';

let stack: TestStack;
const fleets: UpdateFleet[] = [];

beforeAll(async () => {
  stack = await startStack({ only: ['auth', 'api', 'cron', 'broker', 'bridge'] });
});
afterAll(async () => {
  await Promise.all(fleets.map((fleet) => fleet.stop()));
  await stack?.stop();
});

async function online(prefix: string, count: number, more: object = {}): Promise<UpdateFleet> {
  const fleet = await UpdateFleet.create({ facts: stack.facts, prefix, count, ...more });
  fleets.push(fleet);
  await fleet.start();
  return fleet;
}
describe('the whole way from an image to the devices and back', () => {
  it('an image that is uploaded and sent is installed by every device that can, and all agree about it', async () => {
    const odd = [
      { corruptDownload: true },
      { badImage: true },
      { powerCutMidInstall: true },
      { refuses: true },
    ];
    const fleet = await online('OTA-A', 24, { faults: (i: number) => odd[i] });
    const firmware = await fleet.upload(espImage({ version: '1.3.0', size: 100_000 }));
    const job = await fleet.update(firmware);
    expect(job.targeted).toBe(24);
    expect(await fleet.ended(job.id)).toMatchObject({
      state: 'completed',
      counts: { succeeded: 21, failed: 1, rolled_back: 1, rejected: 1 },
    });
    expect(await fleet.disagreements(job.id, '1.3.0')).toEqual([]);
    const installed = fleet.devices.map(
      ({ said }) => said.filter(({ state }) => state === 'installed').length,
    );
    expect(Math.max(...installed)).toBe(1);
    // Put right, those who did not get it do at the second attempt.
    for (const { device } of fleet.devices) device.break({});
    await fleet.ec.otaJobs.retry(job.id, { states: ['failed', 'rolled_back', 'rejected'] });
    expect((await fleet.ended(job.id)).counts).toMatchObject({ succeeded: 24 });
    expect(await fleet.disagreements(job.id, '1.3.0')).toEqual([]);
  }, 180_000);

  it('a canary that crash-loops stops the job by itself: nobody else hears of it, and it runs its old version', async () => {
    const fleet = await online('OTA-B', 12);
    const image = espImage({ version: '1.4.0', project: `${CRASHES} climate-node`, size: 50_000 });
    const firmware = await fleet.upload(image);
    const job = await fleet.update(firmware, { stages: [{ count: 3 }, { percent: 100 }] });
    // Those who are in it when the job stops go on: theirs is known in the end, too.
    const after = await fleet.ended(job.id);
    expect(after).toMatchObject({ state: 'aborted', abort_reason: { kind: 'failure_threshold', stage: 0 } });
    expect(after.counts).toEqual(expect.objectContaining({ rolled_back: 3, cancelled: 9 }));
    expect(after.failures).toContainEqual({ state: 'rolled_back', reason: 'crash_loop', devices: 3 });
    expect(await fleet.disagreements(job.id, '1.4.0')).toEqual([]);
    const rows = await fleet.believed(job.id);
    for (const { serial, orders, restarts, device } of fleet.devices) {
      const canary = rows.get(serial)?.stage === 0;
      expect({ serial, heard: orders > 0, restarted: restarts > 0 }).toEqual({
        ...{ serial, heard: canary, restarted: canary },
      });
      expect(device.version).toBe('1.2.0');
    }
  }, 180_000);
});
