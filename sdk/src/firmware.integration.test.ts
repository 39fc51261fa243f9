import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from '../../supabase/functions/test/api.ts';
import { brokenEspImages, espImage } from '../test/esp-image.ts';
import {
  ConflictError,
  EdgeConductor,
  NotFoundError,
  PermissionDeniedError,
  UnprocessableError,
} from './index.ts';

let api: TestApi;
let ec: EdgeConductor;
let org: string;
beforeAll(async () => {
  api = await startApi({}, { store: true });
  org = api.world.org.id;
  ec = new EdgeConductor({ accessToken: () => api.tokenOf(api.world.orgAdmin), baseUrl: api.url });
});
afterAll(() => api?.stop());

const type = 'EC-CLIMATE-V1';
const upload = (version: string) =>
  ec.firmware.upload({ product_type: type, file: espImage({ version }), filename: 'node.bin' });

describe('firmware', () => {
  it('is uploaded in one call, with its progress', async () => {
    const image = espImage({ version: '1.1.0' });
    const sent: object[] = [];
    const file = new File([image], 'node-1.1.0.bin');
    const firmware = await ec.firmware.upload({
      ...{ product_type: type, file, notes: 'First.' },
      onProgress: (progress) => sent.push(progress),
    });
    expect(firmware).toMatchObject({
      ...{ version: '1.1.0', state: 'ready', filename: 'node-1.1.0.bin', notes: 'First.', org_id: org },
    });
    expect(sent).toEqual([0, image.length].map((loaded) => ({ loaded, total: image.length })));
    expect(await ec.firmware.get(firmware.id)).toEqual(firmware);
    expect(await ec.firmware.finish(firmware.id)).toEqual(firmware);
    expect(await ec.firmware.updateNotes(firmware.id, null)).toMatchObject({ notes: '' });
    const [key] = await ec.orgs.signingKeys(org);
    expect(key).toMatchObject({ product_type: type, public_key: expect.any(String) });
  });

  it('that is none says why', async () => {
    const file = brokenEspImages.truncated();
    const refused = ec.firmware.upload({ product_type: type, file });
    await expect(refused).rejects.toBeInstanceOf(UnprocessableError);
    await expect(refused).rejects.toMatchObject({ problem: { reason: 'truncated_image' } });
    await upload('1.2.0');
    await expect(upload('1.2.0')).rejects.toMatchObject({
      constructor: ConflictError,
      problem: { reason: 'duplicate_version' },
    });
    const gone = ec.firmware.begin({ product_type: type, filename: 'a', size: 0 });
    await expect(gone).rejects.toMatchObject({ problem: { reason: 'empty_file' } });
  });

  it('whose bytes the store does not take is an error of the store', async () => {
    const elsewhere = new EdgeConductor({
      accessToken: () => api.tokenOf(api.world.orgAdmin),
      baseUrl: api.url,
      fetch: (input, init) =>
        fetch(init?.method === 'PUT' ? String(input).replace(/token=.*/, 'token=x') : input, init),
    });
    const failed = elsewhere.firmware.upload({ product_type: type, file: espImage({ version: '1.2.5' }) });
    await expect(failed).rejects.toMatchObject({ status: expect.any(Number) });
  });

  it('is uploaded once under its Idempotency-Key, although the answer of the store was lost', async () => {
    const asked: string[] = [];
    const flaky = new EdgeConductor({
      accessToken: () => api.tokenOf(api.world.orgAdmin),
      baseUrl: api.url,
      fetch: async (input, init) => {
        asked.push(`${init?.method} ${new Headers(init?.headers).get('idempotency-key')}`);
        const response = await fetch(input, init);
        if (init?.method === 'PUT' && asked.filter((one) => one.startsWith('PUT')).length === 1)
          throw new TypeError('the connection broke');
        return response;
      },
    });
    const image = { product_type: type, file: espImage({ version: '1.2.9' }) };
    const first = await flaky.firmware.upload(image, { idempotencyKey: 'build-9' });
    expect(first.state).toBe('ready');
    expect(asked).toEqual(['POST build-9-begin', 'PUT null', 'PUT null', 'POST build-9-finish']);
    expect(await flaky.firmware.upload(image, { idempotencyKey: 'build-9' })).toEqual(first);
  });

  it('is listed and retired', async () => {
    const { id } = await upload('1.3.0');
    const list = await ec.firmware.list({ orgId: org, productType: type, state: 'ready', limit: 1 });
    expect(list.map((firmware) => firmware.id)).toEqual([id]);
    const versions: (string | null)[] = [];
    for await (const one of ec.firmware.list({ orgId: org, state: 'ready', limit: 1 }))
      versions.push(one.version);
    expect(versions).toEqual(['1.3.0', '1.2.9', '1.2.0', '1.1.0']);
    await ec.firmware.retire(id);
    expect(await ec.firmware.get(id)).toMatchObject({ state: 'retired' });
    await expect(ec.firmware.get(crypto.randomUUID())).rejects.toBeInstanceOf(NotFoundError);
  });
});

describe('update jobs', () => {
  it('are previewed, made, held, followed and stopped', async () => {
    const { id: firmware_id } = await upload('3.0.0');
    const serials = ['SDK-J1', 'SDK-J2'];
    for (const serial_no of serials) await ec.devices.register({ serial_no, product_type: type });
    const job = { firmware_id, target: { serials }, stages: [{ count: 1, soak_s: 60 }, { percent: 100 }] };
    expect(await ec.otaJobs.preview(org, job)).toMatchObject({
      targeted: 2,
      stages: [{ devices: 1 }, { devices: 1 }],
    });
    const made = await ec.otaJobs.create(org, job);
    expect(made).toMatchObject({ state: 'running', targeted: 2 });
    await expect(ec.firmware.retire(firmware_id)).rejects.toBeInstanceOf(ConflictError);
    expect(await ec.otaJobs.pause(made.id)).toMatchObject({ state: 'paused' });
    expect(await ec.otaJobs.resume(made.id)).toMatchObject({ state: 'running' });
    expect(await ec.otaJobs.list(org, { state: 'running', productType: type })).toMatchObject([
      { id: made.id },
    ]);
    const devices = await ec.otaJobs.devices(made.id, { state: ['queued', 'sent'], stage: 0 });
    expect(devices).toHaveLength(1);
    const serial = devices[0]!.serial;
    expect(await ec.otaJobs.events(made.id, serial)).toMatchObject([{ state: 'queued' }]);
    expect(await ec.otaJobs.forDevice(serial)).toMatchObject([{ job_id: made.id, version: '3.0.0' }]);
    expect(await ec.otaJobs.abort(made.id)).toMatchObject({ state: 'aborted', counts: { cancelled: 2 } });
    expect(await ec.otaJobs.retry(made.id, { states: ['cancelled'] })).toMatchObject({ state: 'running' });
    expect((await ec.otaJobs.timeline(made.id)).map((entry) => entry.event)).toEqual(
      expect.arrayContaining(['created', 'paused', 'resumed', 'aborted', 'retried']),
    );
    expect((await ec.otaJobs.get(made.id)).id).toBe(made.id);
  });

  it('of one device are one call', async () => {
    const { id } = await upload('3.1.0');
    await ec.devices.register({ serial_no: 'SDK-J3', product_type: type });
    const job = await ec.firmware.push('SDK-J3', id, { force: true });
    expect(job).toMatchObject({ single: true, firmware: { version: '3.1.0' } });
    const viewer = new EdgeConductor({ accessToken: () => api.tokenOf(api.world.viewer), baseUrl: api.url });
    await expect(viewer.firmware.push('SDK-J3', id)).rejects.toBeInstanceOf(PermissionDeniedError);
  });
});

it('saved filters are kept, listed and forgotten', async () => {
  const made = await ec.deviceFilters.create(org, { name: 'Pilots', filter: { tag: 'pilot' } });
  expect(await ec.deviceFilters.list(org)).toEqual([made]);
  await expect(ec.deviceFilters.create(org, made)).rejects.toMatchObject({ code: 'invalid_request' });
  await ec.deviceFilters.delete(made.id);
  expect(await ec.deviceFilters.list(org)).toEqual([]);
});
