import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from '../test/api.ts';

let api: TestApi;
let admin: string;
let org: string;
beforeAll(async () => {
  api = await startApi();
  admin = await api.tokenOf(api.world.orgAdmin);
  org = api.world.org.id;
});
afterAll(() => api?.stop());

const assign = (body: object, as = admin) => api.call('POST', `/orgs/${org}/devices/assign`, { as, body });
const importCsv = (csv: string, dry_run: boolean, as = admin) =>
  api.call('POST', `/orgs/${org}/devices/import`, { as, body: { csv, dry_run } });
async function register(...serials: string[]): Promise<string[]> {
  const devices = serials.map((serial_no) => ({ serial_no, product_type: 'tracker' }));
  await api.call('POST', `/devices/bulk?org_id=${org}`, { as: admin, body: { devices } });
  return serials;
}
const deviceCount = () => api.db.value<number>('select count(*)::int from public.devices');

describe('assigning many devices', () => {
  it('gives each its own result, in the order asked', async () => {
    const serials = await register('BULK-1', 'BULK-2');
    const { status, body } = await assign({
      serials: [...serials, 'BULK-NOBODY', api.world.stranger.device.serial, 'BULK-1'],
      location_id: api.world.org.room,
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      done: 2,
      failed: 2,
      results: [
        { serial: 'BULK-1', ok: true, device: { location_id: api.world.org.room, room_path: 'Main · Lab' } },
        { serial: 'BULK-2', ok: true },
        { serial: 'BULK-NOBODY', ok: false, error: { code: 'not_found' } },
        { serial: 'elsewhere-001', ok: false, error: { code: 'not_found' } },
      ],
    });
    const out = await assign({ serials, location_id: null });
    expect(out.body.results[0].device).toMatchObject({ location_id: null });
  });

  it('to another organisation needs rights on both sides', async () => {
    const serials = await register('BULK-3');
    const refused = await assign({ serials, org_id: api.world.sibling.id });
    expect(refused.body).toMatchObject({ done: 0, failed: 1, results: [{ error: { code: 'not_found' } }] });
    const partner = await api.tokenOf(api.world.partnerUser);
    const moved = await assign({ serials, org_id: api.world.sibling.id }, partner);
    expect(moved.body.results).toMatchObject([{ ok: true, device: { org_id: api.world.sibling.id } }]);
  });

  it('says where to and stays within 500', async () => {
    expect((await assign({ serials: ['BULK-1'] })).status).toBe(400);
    const serials = Array.from({ length: 501 }, (_, n) => `BULK-${n}`);
    expect((await assign({ serials, location_id: null })).status).toBe(400);
    const viewer = await api.tokenOf(api.world.viewer);
    expect((await assign({ serials: ['BULK-1'], location_id: null }, viewer)).status).toBe(403);
  });
});

describe('importing devices', () => {
  const csv = [
    'serial,product_type,name,location,tags,attributes.order',
    'IMP-1,tracker,One,Main / Lab,a;b,4711',
    'IMP-2,tracker,,,,',
    'IMP-3,nonsense,,,,',
    'IMP-4,tracker,,Main / Nowhere,,',
    'elsewhere-001,tracker,,,,',
    'a b,tracker,,,,',
    'IMP-1,tracker,,,,',
    'acme-001,,Renamed,,,',
  ].join('\r\n');

  it('previews what every line would do and writes nothing', async () => {
    const before = await deviceCount();
    const { status, body } = await importCsv(csv, true);
    expect(status).toBe(200);
    expect(body).toMatchObject({ applied: false, counts: { create: 2, update: 1, unchanged: 0, error: 5 } });
    expect(body.rows.map((row: { line: number; action: string }) => [row.line, row.action])).toEqual([
      [2, 'create'],
      [3, 'create'],
      [4, 'error'],
      [5, 'error'],
      [6, 'error'],
      [7, 'error'],
      [8, 'error'],
      [9, 'update'],
    ]);
    expect(body.rows[0].changes).toMatchObject({
      name: { from: null, to: 'One' },
      'attributes.order': { to: 4711 },
    });
    expect(body.rows[2].errors).toMatchObject([{ column: 'product_type', code: 'unprocessable' }]);
    expect(body.rows[3].errors).toMatchObject([{ column: 'location', code: 'not_found' }]);
    expect(body.rows[4].errors).toMatchObject([{ column: 'serial', code: 'serial_taken' }]);
    expect(body.rows[7].changes).toEqual({ name: { from: null, to: 'Renamed' } });
    expect(await deviceCount()).toBe(before);
    expect((await api.get('/devices/acme-001', admin)).body.name).toBeNull();
  });

  it('then does exactly that, and once more changes nothing', async () => {
    const before = await deviceCount();
    expect((await importCsv(csv, false)).body).toMatchObject({
      applied: true,
      counts: { create: 2, update: 1, error: 5 },
    });
    expect(await deviceCount()).toBe(before + 2);
    expect((await api.get('/devices/IMP-1', admin)).body).toMatchObject({
      name: 'One',
      tags: ['a', 'b'],
      attributes: { order: 4711 },
      room_path: 'Main · Lab',
    });
    const again = await importCsv(csv, false);
    expect(again.body.counts).toEqual({ create: 0, update: 0, unchanged: 3, error: 5 });
  });

  it('a device from a spreadsheet gets its secret when it registers itself', async () => {
    const { status, body } = await api.call('POST', '/devices/register', {
      as: admin,
      body: { serial_no: 'IMP-2', product_type: 'tracker' },
    });
    expect(status).toBe(200);
    expect(body.mqtt_password).toMatch(/^ec_dev_/);
  });

  it('is for who may configure, of files that are tables of at most 1 MB', async () => {
    expect((await importCsv(csv, true, await api.tokenOf(api.world.viewer))).status).toBe(403);
    expect((await importCsv(csv, true, await api.tokenOf(api.world.strangerAdmin))).status).toBe(404);
    expect((await importCsv('name\nA\n', true)).body.issues).toMatchObject([{ path: ['csv'] }]);
    const big = `serial,name\nBIG-1,"${'x\n'.repeat(600_000)}"`;
    expect((await importCsv(big, true)).status).toBe(413);
    expect((await importCsv('serial\na b\n', true)).body).toMatchObject({ counts: { error: 1 } });
  });
});

describe('exporting devices', () => {
  it('runs nothing in a spreadsheet, and an import takes it back unchanged', async () => {
    await register('EXP-1');
    const name = '=HYPERLINK("http://x.example","click")';
    const body = { name, tags: ['@tag'.slice(1)], attributes: { note: '+49 30', count: -5 } };
    expect((await api.call('PATCH', '/devices/EXP-1', { as: admin, body })).status).toBe(200);
    const { headers, text } = await api.get('/devices?format=csv&q=EXP-', admin);
    expect(headers.get('content-type')).toContain('text/csv');
    expect(headers.get('content-disposition')).toContain('devices.csv');
    expect(text).toContain(`"'=HYPERLINK(""http://x.example"",""click"")"`);
    expect(text).toContain("'+49 30");
    expect(text).toContain(',-5,');
    expect(text).not.toMatch(/(^|,)"?[=+@]/m);
    const { rows, counts } = (await importCsv(text, true)).body;
    expect([rows, counts.unchanged]).toMatchObject([[{ action: 'unchanged' }], 1]);
  });

  it('is no way around the filters or the right to read', async () => {
    const { text } = await api.get('/devices?format=csv', await api.tokenOf(api.world.customer));
    expect(text.trim().split('\r\n')).toHaveLength(2);
    expect((await api.get('/devices?format=csv', await api.tokenOf(api.world.tenant))).status).toBe(403);
  });
});
