import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { espImage } from '../../sdk/test/esp-image.ts';
import { CRASHES, Flash, type FlashContent } from '../src/simulate/index.ts';
import type { Faults, UpdateOrder, UpdateReport, VirtualDevice } from '../src/simulate/index.ts';
import { TestBroker } from './support/broker.ts';
import { ImageServer, PUBLIC_KEY } from './support/image-server.ts';

let broker: TestBroker;
let images: ImageServer;
let others: ImageServer[] = [];
beforeAll(async () => {
  broker = await TestBroker.start();
});
afterAll(() => broker.stop());
afterEach(async () => {
  await broker.forget();
  for (const server of others.splice(0)) server.stop();
});

async function serve(image: Uint8Array): Promise<ImageServer> {
  const server = await ImageServer.start(image);
  others.push(server);
  return server;
}

/** A device that is there, and an image of 1.3.0 that it may be sent. */
async function begin(
  serial: string,
  more: { faults?: Faults; flash?: Flash; image?: Uint8Array; key?: string } = {},
): Promise<VirtualDevice> {
  images = await serve(more.image ?? espImage({ version: '1.3.0', size: 200_000 }));
  const { device } = broker.climate(serial, {
    ...(more.faults ? { faults: more.faults } : {}),
    updates: {
      ...{ flash: more.flash ?? new Flash('1.2.0'), publicKey: more.key ?? PUBLIC_KEY, installMs: 40 },
      selfTestMs: 2_000,
    },
  });
  device.start();
  await vi.waitFor(() => expect(versions(serial)).toEqual(['1.2.0']), 5_000);
  return device;
}

const tell = (serial: string, order: unknown): void =>
  broker.send(`devices/${serial}/ota`, JSON.stringify(order));
const reports = (serial: string): UpdateReport[] =>
  broker.bodies(`devices/${serial}/ota/status`) as UpdateReport[];
const states = (serial: string): string[] => [...new Set(reports(serial).map(({ state }) => state))];
const packets = (serial: string): Array<Record<string, unknown>> =>
  broker.bodies(`devices/${serial}/telemetry`).flat() as Array<Record<string, unknown>>;
const versions = (serial: string): unknown[] => [
  ...new Set(packets(serial).flatMap((packet) => packet['fw_version'] ?? [])),
];
const says = (serial: string, report: Partial<UpdateReport>): Promise<void> =>
  vi.waitFor(() => expect(reports(serial).at(-1)).toMatchObject(report), 10_000);
const runs = (serial: string, version: string): Promise<void> =>
  vi.waitFor(() => expect(versions(serial).at(-1)).toBe(version), 10_000);

describe('an update', () => {
  it('is fetched, checked, installed and booted, and the device says so at every step', async () => {
    const device = await begin('EC-U-1');
    const order = images.order();
    tell('EC-U-1', order);
    await runs('EC-U-1', '1.3.0');
    expect(versions('EC-U-1')).toEqual(['1.2.0', '1.3.0']);
    expect(states('EC-U-1')).toEqual(['downloading', 'installing', 'rebooting']);
    expect(reports('EC-U-1').every(({ job_id, attempt }) => job_id === order.job_id && attempt === 1)).toBe(
      true,
    );
    expect(reports('EC-U-1').filter(({ state }) => state === 'downloading')).toContainEqual(
      expect.objectContaining({ percent: 100 }),
    );
    expect(packets('EC-U-1').at(-1)).toMatchObject({ reboot_reason: 'SW', uptime: 0 });
    expect(device.version).toBe('1.3.0');
  });

  it('is heard by a device before the platform knows that it is there', async () => {
    await begin('EC-U-2');
    const birth = broker.order.indexOf('EC-U-2 status');
    const heard = broker.order.slice(0, birth);
    expect(heard).toContain('EC-U-2 devices/EC-U-2/ota');
    expect(heard).toContain('EC-U-2 devices/EC-U-2/cmd');
  });

  it('happens once, however often it is ordered; another attempt is another update', async () => {
    await begin('EC-U-3', { faults: { corruptDownload: true } });
    for (let n = 0; n < 4; n++) tell('EC-U-3', images.order());
    await says('EC-U-3', { state: 'failed', reason: 'sha256_mismatch', attempt: 1 });
    tell('EC-U-3', images.order());
    await vi.waitFor(() => expect(reports('EC-U-3').filter(isFailed)).toHaveLength(2));
    expect(images.ranges).toHaveLength(1);
    tell('EC-U-3', images.order({ attempt: 2 }));
    await says('EC-U-3', { state: 'failed', attempt: 2 });
    expect(images.ranges).toHaveLength(2);
    // What is older than what it knows is an echo.
    tell('EC-U-3', images.order({ attempt: 1 }));
    tell('EC-U-3', images.order({ attempt: 3 }));
    await says('EC-U-3', { state: 'failed', attempt: 3 });
    expect(reports('EC-U-3').filter(isFailed)).toHaveLength(4);
  });

  it('that is installed is not installed again after a restart of the whole device', async () => {
    let kept: FlashContent | undefined;
    const keep = (content: FlashContent): void => {
      kept = JSON.parse(JSON.stringify(content)) as FlashContent;
    };
    const device = await begin('EC-U-4', { flash: new Flash('1.2.0', undefined, keep) });
    const order = images.order();
    tell('EC-U-4', order);
    await vi.waitFor(() => expect(kept?.ends[order.job_id]).toEqual({ attempt: 1, report: null }), 5_000);
    await device.stop();
    const { device: again } = broker.climate('EC-U-4', { updates: { flash: new Flash('1.2.0', kept) } });
    again.start();
    await vi.waitFor(() => expect(again.counters.delivered).toBeGreaterThan(0), 5_000);
    const said = reports('EC-U-4').length;
    tell('EC-U-4', order);
    const { delivered } = again.counters;
    await vi.waitFor(() => expect(again.counters.delivered).toBeGreaterThan(delivered + 3));
    expect(again.version).toBe('1.3.0');
    expect(reports('EC-U-4')).toHaveLength(said);
    expect(images.ranges).toHaveLength(1);
  });

  it('goes on where the connection broke', async () => {
    await begin('EC-U-5');
    images.cuts = 3;
    tell('EC-U-5', images.order());
    await runs('EC-U-5', '1.3.0');
    const starts = images.ranges.map((range) => Number(/\d+/.exec(range ?? '0')?.[0]));
    expect(starts).toHaveLength(4);
    expect(starts[0]).toBe(0);
    expect(starts).toEqual(starts.toSorted((a, b) => a - b));
    expect(starts[1]).toBeGreaterThan(0);
  });

  it('goes on after the device restarted in the middle of the download', async () => {
    await begin('EC-U-6');
    images.pace = 4_000;
    tell('EC-U-6', images.order());
    await vi.waitFor(() => expect(images.ranges).toHaveLength(1));
    await says('EC-U-6', { state: 'downloading' });
    broker.send('devices/EC-U-6/cmd', JSON.stringify({ id: 'r', type: 'reboot' }));
    await vi.waitFor(() => expect(images.ranges).toHaveLength(2), 5_000);
    images.pace = 0;
    await runs('EC-U-6', '1.3.0');
    expect(images.ranges[1]).toMatch(/^bytes=[1-9]/);
  });

  it('waits for a fresh link when its own is over, and keeps what it has', async () => {
    await begin('EC-U-7');
    images.cuts = 1;
    images.answers = [302, 503];
    const order = images.order();
    tell('EC-U-7', order);
    await vi.waitFor(() => expect(images.ranges).toHaveLength(1));
    images.expire(order);
    await says('EC-U-7', { state: 'deferred', reason: 'url_expired' });
    tell('EC-U-7', images.order());
    await runs('EC-U-7', '1.3.0');
    expect(images.ranges[1]).toMatch(/^bytes=[1-9]/);
    expect(reports('EC-U-7').filter(({ state }) => state === 'deferred')).toHaveLength(1);
  });
});

describe('an update that must not be', () => {
  const never = async (serial: string, order: object, said: Partial<UpdateReport>): Promise<void> => {
    tell(serial, order);
    await says(serial, said);
    expect(states(serial)).not.toContain('installing');
    expect(versions(serial)).toEqual(['1.2.0']);
  };

  it('is refused for another product', async () => {
    await begin('EC-V-1');
    const order = images.order({ product_type: 'tracker' });
    await never('EC-V-1', order, { state: 'rejected', reason: 'wrong_product_type' });
    expect(images.ranges).toEqual([]);
  });

  it.each([
    ['that is longer', { size: 1_000 }, 'size_mismatch'],
    ['that is much shorter', { size: 1_000_000 }, 'size_mismatch'],
    ['with other bytes', { sha256: 'ab'.repeat(32) }, 'sha256_mismatch'],
    ['signed for another version', { version: '9.9.9', signature: '' }, 'bad_signature'],
    ['signed by nobody', { signature: Buffer.alloc(64).toString('base64') }, 'bad_signature'],
    ['with a signature that is none', { signature: 'hello' }, 'bad_signature'],
  ])('is not installed %s', async (what, wrong, reason) => {
    const serial = `EC-V-${what.length}`;
    await begin(serial);
    const { signature } = images.order();
    const order = { ...images.order(), ...wrong };
    if (order.signature === '') order.signature = signature;
    await never(serial, order, { state: 'failed', reason });
  });

  it('is not installed by a device that was given no key, or another maker’s', async () => {
    const key = Buffer.alloc(32, 7).toString('base64');
    await begin('EC-V-8', { key });
    await never('EC-V-8', images.order(), { state: 'failed', reason: 'bad_signature' });
  });

  it('is refused, put off, or not even heard by devices that are told so', async () => {
    await begin('EC-V-3', { faults: { refuses: true } });
    await never('EC-V-3', images.order(), { state: 'rejected', reason: 'refused' });

    const device = await begin('EC-V-5', { faults: { silent: true } });
    tell('EC-V-5', images.order());
    const { delivered } = device.counters;
    await vi.waitFor(() => expect(device.counters.delivered).toBeGreaterThan(delivered + 3));
    expect(reports('EC-V-5')).toEqual([]);

    await begin('EC-V-4', { faults: { defersS: 5 } });
    await never('EC-V-4', images.order(), { state: 'deferred', reason: 'busy', retry_s: 5 });
    tell('EC-V-4', images.order());
    await runs('EC-V-4', '1.3.0');
  });

  it('is nothing at all when it is rubbish', async () => {
    await begin('EC-V-9');
    const order: Partial<UpdateOrder> = images.order();
    delete order.signature;
    for (const bad of [order, [], 'update', { ...images.order(), attempt: 'one' }]) tell('EC-V-9', bad);
    tell('EC-V-9', images.order({ attempt: 2 }));
    await runs('EC-V-9', '1.3.0');
    expect(reports('EC-V-9').every(({ attempt }) => attempt === 2)).toBe(true);
  });
});

describe('a bad image', () => {
  it('that crash-loops leads back to the old version, which says why', async () => {
    const image = espImage({ version: '1.3.0', project: `${CRASHES} climate-node` });
    const device = await begin('EC-B-1', { image });
    tell('EC-B-1', images.order());
    await says('EC-B-1', { state: 'rolled_back', reason: 'crash_loop' });
    expect(device.version).toBe('1.2.0');
    await vi.waitFor(() =>
      expect(packets('EC-B-1').at(-1)).toMatchObject({ uptime: 0, reboot_reason: 'PANIC' }),
    );
    expect(versions('EC-B-1')).toEqual(['1.2.0']);
    // The same image, ordered once more: the answer again, and no boot.
    tell('EC-B-1', images.order());
    await vi.waitFor(() =>
      expect(reports('EC-B-1').filter(({ state }) => state === 'rolled_back')).toHaveLength(2),
    );
    expect(images.ranges).toHaveLength(1);
  });

  it('that no packet gets out of is given up', async () => {
    const device = await begin('EC-B-2');
    tell('EC-B-2', images.order());
    await says('EC-B-2', { state: 'rebooting' });
    broker.holding = true;
    await vi.waitFor(() => expect(device.version).toBe('1.3.0'));
    await vi.waitFor(() => expect(device.version).toBe('1.2.0'), 10_000);
    broker.holding = false;
    broker.clients.get('EC-B-2')?.conn.destroy();
    await says('EC-B-2', { state: 'rolled_back', reason: 'self_test_failed' });
  });
});

it('a power cut in the middle of an installation costs a restart, not the device', async () => {
  const device = await begin('EC-P-1', { faults: { powerCutMidInstall: true } });
  tell('EC-P-1', images.order());
  await runs('EC-P-1', '1.3.0');
  expect(packets('EC-P-1').map((packet) => packet['reboot_reason'])).toContain('BROWNOUT');
  expect(images.ranges).toHaveLength(1);
  expect(device.version).toBe('1.3.0');
});

function isFailed({ state }: UpdateReport): boolean {
  return state === 'failed';
}
