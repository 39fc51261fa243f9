import { EdgeConductor, NotFoundError } from '@edgeconductor/sdk';
import { DeviceDiagnostics } from '@edgeconductor/sdk/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from '../test/api.ts';

let api: TestApi;
let key: string;
let ec: EdgeConductor;
beforeAll(async () => {
  api = await startApi();
  await api.db.query(`update public.orgs set plan = 'enterprise'`);
  key = await api.apiKey(['read', 'write', 'provision']);
  ec = new EdgeConductor({ apiKey: key, baseUrl: api.url, maxRetries: 0 });
});
afterAll(() => api?.stop());

const MINUTE = 60_000;
/** Registers a device that sends these packets, each some minutes ago. */
async function reporting(
  serial: string,
  productType: string,
  packets: { ago: number; [key: string]: unknown }[],
): Promise<void> {
  const secret = await api.device(serial, key, productType);
  const device = new EdgeConductor({ apiKey: secret, baseUrl: api.url, maxRetries: 0 });
  const now = Date.now();
  await device.telemetry.push(
    serial,
    packets.map(({ ago, ...packet }) => ({ ...packet, ts: now - ago * MINUTE })),
  );
}

it('a device that never reported has no part to judge, and its thresholds', async () => {
  await api.device('EC-NEW', key);
  const diagnostics = await ec.devices.diagnostics('EC-NEW');
  expect(() => DeviceDiagnostics.parse(diagnostics)).not.toThrow();
  expect(diagnostics).toMatchObject({
    ...{ serial: 'EC-NEW', hours: 24, battery: null, signal: null, heap: null, uptime: null, gps: null },
    ...{ loss: null, skew: null, reboots: { list: [], verdict: { level: 'ok', code: 'none' } } },
    ...{
      crash_free: { by_version: [] },
      thresholds: { battery: { alert_v: 3.5 }, signal: { radio: 'wifi' } },
    },
  });
});

it('a climate node is judged in every part it reports', async () => {
  const packets = Array.from({ length: 60 }, (_, n) => ({
    ...{ ago: (60 - n) * 3, seq: n < 30 ? n : n + 2, temp: 20, bat: 3.44, signal: -91 },
    ...{ heap: 90_000 - n * 250, uptime: 3600 + n * 180 },
  }));
  await reporting('EC-ILL', 'EC-CLIMATE-V1', packets);
  const diagnostics = await ec.devices.diagnostics('EC-ILL');
  expect(() => DeviceDiagnostics.parse(diagnostics)).not.toThrow();
  expect(diagnostics).toMatchObject({
    battery: { volts: 3.44, verdict: { level: 'bad', code: 'empty' } },
    signal: { dbm: -91, radio: 'wifi', bars: 0, verdict: { level: 'bad', code: 'very_weak' } },
    heap: { bytes: 75_250, verdict: { level: 'bad', code: 'leak' } },
    uptime: { seconds: 14_220, verdict: { level: 'ok' } },
    loss: { expected: 62, received: 60, percent: 3.2, verdict: { level: 'warn', code: 'lossy' } },
    gps: null,
  });
  expect(diagnostics.heap!.slope_per_h).toBeCloseTo(-5000, -2);
  for (const part of [diagnostics.battery, diagnostics.signal, diagnostics.heap, diagnostics.loss])
    expect(part!.verdict.advice).toMatch(/\.$/);
  expect(diagnostics.series.series['heap']!.length).toBeGreaterThan(20);
});

it('a tracker is read by the scale of its radio, and has a place', async () => {
  await reporting('EC-VAN', 'tracker', [
    { ago: 1, bat: 4.1, signal: -90, csq: 11, gps_fix: true, sats: 9, ttff: 21, lat: 53.55, lon: 10.01 },
  ]);
  expect(await ec.devices.diagnostics('EC-VAN', { hours: 6 })).toMatchObject({
    hours: 6,
    signal: { radio: 'gsm', bars: 2, of_bars: 4, csq: 11, verdict: { level: 'ok' } },
    gps: { fix: true, sats: 9, lat: 53.55, lon: 10.01, accuracy_m: 5, verdict: { level: 'ok' } },
  });
});

describe('who may ask', () => {
  it('a customer for their own device', async () => {
    const accessToken = await api.tokenOf(api.world.customer);
    const customer = new EdgeConductor({ accessToken, baseUrl: api.url, maxRetries: 0 });
    expect((await customer.devices.diagnostics('acme-001')).serial).toBe('acme-001');
    await expect(customer.devices.diagnostics('EC-NEW')).rejects.toBeInstanceOf(NotFoundError);
  });

  it.each(['?hours=1', '?hours=48', '?hours=x'])('not for %s', async (query) => {
    expect((await api.get(`/devices/EC-NEW/diagnostics${query}`, key)).status).toBe(400);
  });
});
