import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type Answer, type TestApi } from '../test/api.ts';
import { tellApiUrl, uploadFirmware } from '../test/firmware.ts';

let api: TestApi;
let key: string;
let org: string;
let firmware: Answer['body'];
const token: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi({}, { store: true });
  const { world } = api;
  await api.db.query(`update public.orgs set plan = 'enterprise'`);
  await tellApiUrl(api);
  org = world.org.id;
  key = await api.apiKey(['read', 'write', 'ota', 'provision']);
  firmware = await uploadFirmware(api, key, { version: '2.0.0' });
  for (const [role, actor] of Object.entries({
    ...{ admin: world.admin, partner: world.partnerUser, org_admin: world.orgAdmin },
    ...{ operator: world.operator, viewer: world.viewer, customer: world.customer },
    ...{ stranger: world.strangerAdmin },
  }))
    token[role] = await api.tokenOf(actor);
});
afterAll(() => api?.stop());

let count = 0;
/** New devices of one type that run 1.0.0, and their secrets. */
async function nodes(many: number, product_type = 'EC-CLIMATE-V1'): Promise<Record<string, string>> {
  const prefix = `JOB${++count}`;
  const devices = Array.from({ length: many }, (_, n) => ({
    ...{ serial_no: `${prefix}-${n}`, product_type, fw_version: '1.0.0' },
  }));
  const { body } = await api.call('POST', '/devices/bulk', { as: key, body: { devices } });
  return Object.fromEntries(
    body.results.map(({ device }: Answer['body']) => [device.serial_no, device.mqtt_password]),
  );
}
const create = (body: object, as = key, headers = {}): Promise<Answer> =>
  api.call('POST', `/orgs/${org}/ota-jobs`, {
    as,
    body: { firmware_id: firmware.id, ...body },
    headers,
  });
const preview = (body: object, as = key): Promise<Answer> =>
  api.call('POST', `/orgs/${org}/ota-jobs/preview`, { as, body: { firmware_id: firmware.id, ...body } });
const step = (id: string, name: string, as = key, body?: object): Promise<Answer> =>
  api.call('POST', `/ota-jobs/${id}/${name}`, { as, ...(body && { body }) });
const get = async (path: string): Promise<Answer['body']> => (await api.get(path, key)).body;
/** The device asks for its update and says what became of it. */
async function report(serial: string, secret: string, body: object): Promise<void> {
  const { job_id } = (await api.get(`/devices/${serial}/commands`, secret)).body;
  await api.call('POST', `/devices/${serial}/ota/status`, { as: secret, body: { job_id, ...body } });
}

describe('a job', () => {
  it('is previewed, made, followed and completed', async () => {
    const devices = await nodes(3);
    const serials = Object.keys(devices);
    const body = { target: { serials }, stages: [{ count: 1 }, { percent: 100 }], name: 'Spring' };
    const looked = await preview(body);
    expect([looked.status, looked.body]).toMatchObject([
      200,
      {
        firmware: { id: firmware.id, version: '2.0.0', product_type: 'EC-CLIMATE-V1' },
        ...{ targeted: 3, excluded: 0, reasons: {} },
        stages: [
          { count: 1, soak_s: 0, devices: 1 },
          { percent: 100, devices: 2 },
        ],
      },
    ]);
    expect(looked.body.devices).toHaveLength(3);

    const made = await create(body);
    expect([made.status, made.body]).toMatchObject([
      201,
      {
        ...{ name: 'Spring', state: 'running', stage: 0, single: false, number: looked.body.number },
        ...{ failure_pct: 20, timeout_s: 1800, force: false, window: null, abort_reason: null },
        created_by: expect.stringContaining('ec_live_'),
      },
    ]);
    const { id, number } = made.body;
    expect(await get(`/ota-jobs/${id}`)).toMatchObject({
      ...{ number, targeted: 3, target: { serials } },
      stages: [{ devices: 1 }, { devices: 2, counts: { queued: 2 } }],
    });
    const [canary] = await get(`/ota-jobs/${id}/devices?stage=0`);
    await api.get(`/devices/${canary.serial}/commands`, devices[canary.serial]);
    await api.call('POST', `/devices/${canary.serial}/telemetry`, {
      as: devices[canary.serial]!,
      body: { fw_version: '2.0.0' },
    });
    await api.db.query('select ec.advance_ota_jobs(clock_timestamp())');
    expect(await get(`/ota-jobs/${id}`)).toMatchObject({ stage: 1, counts: { succeeded: 1, queued: 2 } });
    for (const serial of serials.filter((one) => one !== canary.serial)) {
      await api.get(`/devices/${serial}/commands`, devices[serial]);
      const packet = { as: devices[serial]!, body: { fw_version: '2.0.0' } };
      await api.call('POST', `/devices/${serial}/telemetry`, packet);
    }
    await api.db.query('select ec.advance_ota_jobs(clock_timestamp())');
    const done = await get(`/ota-jobs/${id}`);
    expect(done).toMatchObject({ state: 'completed', counts: { succeeded: 3 }, failures: [] });
    expect(Date.parse(done.finished_at)).toBeGreaterThan(Date.parse(done.started_at));
    const events = (await get(`/ota-jobs/${id}/timeline`)).map(({ event }: Answer['body']) => event);
    expect([events[0], events.at(-1)]).toEqual(['created', 'completed']);
  });

  it('leaves out who cannot have it, and says why', async () => {
    const [same, newer] = Object.keys(await nodes(2));
    await api.db.query(`update public.devices set fw_version = '2.0.0' where serial = $1`, [same]);
    await api.db.query(`update public.devices set fw_version = '2.1.0' where serial = $1`, [newer]);
    const [tracker] = Object.keys(await nodes(1, 'tracker'));
    const serials = [same, newer, tracker, 'NOBODY-1', api.world.stranger.device.serial];
    const { body } = await preview({ target: { serials } });
    expect(body).toMatchObject({
      ...{ targeted: 0, excluded: 5 },
      reasons: { same_version: 1, newer_version: 1, other_type: 1, not_found: 2 },
    });
    const refused = await create({ target: { serials } });
    expect([refused.status, refused.body]).toMatchObject([
      422,
      { code: 'unprocessable', reasons: { same_version: 1 } },
    ]);
    expect((await create({ target: { serials }, force: true })).body.targeted).toBe(2);
  });

  it('takes a type, a filter or a saved filter', async () => {
    const serials = Object.keys(await nodes(2));
    for (const serial of serials)
      await api.call('PATCH', `/devices/${serial}`, { as: key, body: { tags: ['pilot'] } });
    const filter = { tag: 'pilot', fw_version: '1.0.0' };
    const saved = await api.call('POST', `/orgs/${org}/device-filters`, {
      as: key,
      body: { name: 'Pilots', filter },
    });
    expect(saved.status).toBe(201);
    for (const target of [{ filter }, { filter_id: saved.body.id }])
      expect((await preview({ target })).body.targeted).toBe(2);
    const type = await preview({ target: { product_type: 'EC-CLIMATE-V1' } });
    expect(type.body.targeted).toBeGreaterThanOrEqual(2);
    expect((await preview({ target: { filter_id: randomUUID() } })).status).toBe(404);
  });

  it('pauses, goes on, is stopped, and is tried again', async () => {
    const devices = await nodes(2);
    const [first, second] = Object.keys(devices) as [string, string];
    const { body: job } = await create({
      target: { serials: [first, second] },
      stages: [{ serials: [first] }, { percent: 100 }],
    });
    expect((await step(job.id, 'resume')).body).toMatchObject({ code: 'conflict', state: 'running' });
    expect((await step(job.id, 'pause')).body).toMatchObject({ state: 'paused' });
    expect((await api.get(`/devices/${first}/commands`, devices[first])).body.fw_url).toBeUndefined();
    expect((await step(job.id, 'resume')).body.state).toBe('running');
    await report(first, devices[first]!, { state: 'failed', reason: 'no space' });
    await api.db.query('select ec.advance_ota_jobs(clock_timestamp())');
    expect(await get(`/ota-jobs/${job.id}`)).toMatchObject({
      state: 'aborted',
      abort_reason: { kind: 'failure_threshold', failed: 1 },
      counts: { failed: 1, cancelled: 1 },
      failures: expect.arrayContaining([{ state: 'failed', reason: 'no space', devices: 1 }]),
    });
    expect((await step(job.id, 'abort')).body).toMatchObject({ code: 'conflict', state: 'aborted' });
    const again = await step(job.id, 'retry', key, { states: ['failed'] });
    expect([again.status, again.body]).toMatchObject([200, { state: 'running', abort_reason: null }]);
    expect(await get(`/ota-jobs/${job.id}/devices?state=queued`)).toMatchObject([
      { serial: first, attempt: 2 },
    ]);
    expect((await step(job.id, 'retry', key, { states: ['succeeded'] })).status).toBe(400);
    expect((await step(job.id, 'abort')).body.state).toBe('aborted');
  });

  it('waits for its time', async () => {
    const devices = await nodes(1);
    const [serial] = Object.keys(devices) as [string];
    const starts_at = new Date(Date.now() + 3_600_000).toISOString();
    const window = { start: '22:00', end: '05:00', days: ['sat', 'sun'] };
    const { body } = await create({ target: { serials: [serial] }, starts_at, window });
    expect(body).toMatchObject({ state: 'scheduled', starts_at, window });
    expect((await api.get(`/devices/${serial}/commands`, devices[serial])).body.fw_url).toBeUndefined();
    expect((await step(body.id, 'abort')).body.state).toBe('aborted');
  });

  it('is made once for an Idempotency-Key', async () => {
    const [serial] = Object.keys(await nodes(1)) as [string];
    const headers = { 'idempotency-key': 'job-1' };
    const body = { target: { serials: [serial] } };
    const [one, two] = [await create(body, key, headers), await create(body, key, headers)];
    expect([two.status, two.body.id]).toEqual([201, one.body.id]);
    const push = {
      as: key,
      body: { firmware_id: firmware.id, force: true },
      headers: { 'idempotency-key': 'push-1' },
    };
    const [other] = Object.keys(await nodes(1)) as [string];
    const pushed = [
      await api.call('POST', `/devices/${other}/ota`, push),
      await api.call('POST', `/devices/${other}/ota`, push),
    ];
    expect(pushed[1]?.body.id).toBe(pushed[0]?.body.id);
    expect(await get(`/devices/${other}/ota`)).toHaveLength(1);
  });

  it('is listed newest first, by state, type and page', async () => {
    const all = await get(`/orgs/${org}/ota-jobs`);
    const numbers = all.map(({ number }: Answer['body']) => number);
    expect(numbers).toEqual([...numbers].sort((a, b) => b - a));
    expect(all[0]).toMatchObject({ targeted: expect.any(Number), counts: expect.any(Object) });
    const completed = await get(`/orgs/${org}/ota-jobs?state=completed`);
    expect(completed.map(({ name }: Answer['body']) => name)).toEqual(['Spring']);
    expect(await get(`/orgs/${org}/ota-jobs?product_type=tracker`)).toEqual([]);
    const page = await api.get(`/orgs/${org}/ota-jobs?limit=2`, key);
    const after = /after=([^&>]+)/.exec(page.headers.get('link') ?? '')?.[1];
    expect((await get(`/orgs/${org}/ota-jobs?limit=1&after=${after}`))[0].number).toBe(numbers[2]);
  });

  it('lists its devices by state, reason, text and page', async () => {
    const devices = await nodes(4);
    const serials = Object.keys(devices);
    const { body: job } = await create({ target: { serials }, failure_pct: 100 });
    await report(serials[0]!, devices[serials[0]!]!, { state: 'failed', reason: 'no space' });
    await report(serials[1]!, devices[serials[1]!]!, { state: 'rejected', reason: 'wrong board' });
    const path = `/ota-jobs/${job.id}/devices`;
    const serialsOf = async (query: string): Promise<string[]> =>
      (await get(`${path}?${query}`)).map(({ serial }: Answer['body']) => serial);
    expect((await serialsOf('state=failed,rejected')).sort()).toEqual(serials.slice(0, 2));
    expect(await serialsOf('reason=wrong%20board')).toEqual([serials[1]]);
    expect(await serialsOf(`q=${serials[3]?.toLowerCase()}`)).toEqual([serials[3]]);
    expect(await serialsOf('stage=1')).toEqual([]);
    const walked: string[] = [];
    for (let after = ''; ;) {
      const page = await api.get(`${path}?limit=1${after && `&after=${after}`}`, key);
      walked.push(page.body[0].serial);
      const next = /after=([^&>]+)/.exec(page.headers.get('link') ?? '')?.[1];
      if (next === undefined) break;
      after = next;
    }
    expect(walked).toEqual(await serialsOf(''));
    expect((await api.get(`${path}?state=lost`, key)).status).toBe(400);
  });

  it.each([
    [{}],
    [{ target: {} }],
    [{ target: { serials: [] } }],
    [{ target: { serials: ['A-1'], filter: {} } }],
    [{ target: { filter: { colour: 'red' } } }],
    [{ target: { serials: ['ABC'] }, stages: [] }],
    [{ target: { serials: ['ABC'] }, stages: [{ percent: 101 }] }],
    [{ target: { serials: ['ABC'] }, window: { start: '25:00', end: '01:00' } }],
    [{ target: { serials: ['ABC'] }, failure_pct: 0 }],
    [{ target: { serials: ['ABC'] }, timeout_s: 5 }],
    [{ target: { serials: ['ABC'] }, more: 1 }],
  ])('%j is no job', async (body) => {
    expect((await create(body)).status).toBe(400);
  });
});

describe('who may', () => {
  it.each([
    ['admin', 201, 200],
    ['partner', 403, 200],
    ['org_admin', 201, 200],
    ['operator', 403, 200],
    ['viewer', 403, 200],
    ['customer', 403, 403],
    ['stranger', 404, 404],
  ])('%s: make a job %i, look at one %i', async (role, making, looking) => {
    const [serial] = Object.keys(await nodes(1)) as [string];
    const as = token[role]!;
    const made = await create({ target: { serials: [serial] } }, as);
    expect(made.status).toBe(making);
    const [job] = await get(`/orgs/${org}/ota-jobs?limit=1`);
    for (const path of ['', '/devices', '/timeline'])
      expect((await api.get(`/ota-jobs/${job.id}${path}`, as)).status).toBe(looking);
    expect((await api.get(`/devices/${serial}/ota`, as)).status).toBe(looking);
    expect((await api.get(`/orgs/${org}/ota-jobs`, as)).status).toBe(looking);
    if (making === 201) return;
    for (const name of ['pause', 'abort']) expect((await step(job.id, name, as)).status).toBe(making);
    const push = { as, body: { firmware_id: firmware.id } };
    expect((await api.call('POST', `/devices/${serial}/ota`, push)).status).toBe(making);
  });

  it('another org’s devices are reached by no target, and its firmware by no job', async () => {
    const { stranger, admin } = api.world;
    const theirs = await uploadFirmware(api, await api.tokenOf(admin), {
      orgId: stranger.id,
      version: '9.0.0',
    });
    const [serial] = Object.keys(await nodes(1)) as [string];
    expect((await create({ firmware_id: theirs.id, target: { serials: [serial] } })).status).toBe(404);
    const push = { as: key, body: { firmware_id: theirs.id } };
    expect((await api.call('POST', `/devices/${serial}/ota`, push)).status).toBe(404);
    const own = { as: key, body: { firmware_id: firmware.id } };
    expect((await api.call('POST', `/devices/${stranger.device.serial}/ota`, own)).status).toBe(404);
  });
});

describe('saved filters', () => {
  it('are kept by name, once, and forgotten', async () => {
    const save = (name: string, filter: object, as = key): Promise<Answer> =>
      api.call('POST', `/orgs/${org}/device-filters`, { as, body: { name, filter } });
    const made = await save('Offline', { status: 'offline', lifecycle: 'active' });
    expect([made.status, made.body]).toEqual([
      201,
      {
        ...{
          id: expect.any(String),
          org_id: org,
          name: 'Offline',
          filter: { status: 'offline', lifecycle: 'active' },
        },
        ...{ created_by: expect.stringContaining('ec_live_'), created_at: expect.stringMatching(/Z$/) },
      },
    ]);
    expect((await save('offline', {})).body.code).toBe('conflict');
    expect((await save('Odd', { status: 'asleep' })).status).toBe(400);
    await save('All', {});
    const list = await get(`/orgs/${org}/device-filters`);
    expect(list.map(({ name }: Answer['body']) => name).slice(0, 2)).toEqual(['All', 'Offline']);
    expect(list).toContainEqual(made.body);
    const forget = (as: string): Promise<Answer> =>
      api.call('DELETE', `/device-filters/${made.body.id}`, { as });
    expect((await forget(token['stranger']!)).status).toBe(404);
    expect((await forget(token['viewer']!)).status).toBe(403);
    expect((await save('Mine', {}, token['operator']!)).status).toBe(201);
    expect((await forget(token['operator']!)).status).toBe(204);
    expect((await forget(key)).status).toBe(404);
  });
});
