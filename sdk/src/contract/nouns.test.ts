import { describe, expect, it } from 'vitest';
import {
  BulkAssignRequest,
  DeviceListQuery,
  DevicePatch,
  ERROR_CODES,
  ERROR_STATUS,
  ERROR_TITLE,
  formatMetric,
  isErrorCode,
  LiveAsk,
  Name,
  OrgCreate,
  OrgInvitationCreate,
  parseLiveTopic,
  RegisterRequest,
  RoomClaimRequest,
  Serial,
  TelemetryQuery,
  TimestampInput,
} from './mod.ts';

const ok = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown) =>
  schema.safeParse(value).success;

describe('ids and names', () => {
  it('a serial is 3 to 64 letters, digits, _ and -', () => {
    for (const good of ['EC-CLM-001', 'a_b', 'A'.repeat(64)]) expect(ok(Serial, good)).toBe(true);
    for (const bad of ['ab', '-abc', 'a/b', 'a+b', 'a#b', 'A'.repeat(65), 'ä-1', 'EC-1\n'])
      expect(ok(Serial, bad)).toBe(false);
  });
  it('a time comes in as ISO or epoch milliseconds and goes out as ISO', () => {
    expect(TimestampInput.parse(0)).toBe('1970-01-01T00:00:00.000Z');
    expect(TimestampInput.parse('2026-01-01T01:00:00+01:00')).toBe('2026-01-01T00:00:00.000Z');
    expect(ok(TimestampInput, 'tomorrow')).toBe(false);
  });
  it('a name has no control characters and is not blank', () => {
    expect(Name.parse('  Haus 3 – Büro ')).toBe('Haus 3 – Büro');
    for (const bad of ['', '   ', 'a\nb', 'a\u0000b', '\ud800']) expect(ok(Name, bad)).toBe(false);
  });
  it('a time zone is one the runtime knows', () => {
    expect(OrgCreate.parse({ name: 'A', timezone: 'Europe/Berlin' })).toMatchObject({ plan: 'starter' });
    for (const timezone of ['Mars/Olympus', '', 'Europe/Berlin; drop'])
      expect(ok(OrgCreate, { name: 'A', timezone })).toBe(false);
  });
});

describe('register', () => {
  it('takes the aliases and gives the one form', () => {
    expect(RegisterRequest.parse({ serial: 'EC-1', productType: 'tracker', mac: 'x' })).toEqual({
      serial_no: 'EC-1',
      product_type: 'tracker',
      fw_version: null,
    });
  });
  it('names what is missing or contradicts itself', () => {
    const missing = RegisterRequest.safeParse({ serial_no: 'EC-1' });
    expect(missing.error?.issues.map((issue) => issue.path)).toEqual([['product_type']]);
    expect(ok(RegisterRequest, { serial_no: 'EC-1', serial: 'EC-2', product_type: 'tracker' })).toBe(false);
  });
});

describe('queries and patches', () => {
  it('hours are 1, 6, 24 or 168', () => {
    for (const hours of ['1', '6', '24', '168'])
      expect(TelemetryQuery.parse({ hours }).hours).toBe(Number(hours));
    for (const hours of ['2', '', '24.0', '1e0', '-1']) expect(ok(TelemetryQuery, { hours })).toBe(false);
  });
  it('limit is a whole number within its bounds', () => {
    expect(TelemetryQuery.parse({}).limit).toBe(1000);
    expect(TelemetryQuery.parse({ limit: '10000' }).limit).toBe(10_000);
    for (const limit of ['0', '10001', '-1', '1.5', 'x', '', ' 5'])
      expect(ok(TelemetryQuery, { limit })).toBe(false);
    expect(ok(DeviceListQuery, { limit: '501' })).toBe(false);
  });
  it('a device patch is never empty and knows no other fields', () => {
    expect(ok(DevicePatch, {})).toBe(false);
    expect(ok(DevicePatch, { org: 'x' })).toBe(false);
    expect(ok(DevicePatch, { attributes: { constructor: 1 } })).toBe(false);
    expect(ok(DevicePatch, { name: null, tags: ['floor 2', 'pilot'] })).toBe(true);
  });
});

describe('codes and invitations', () => {
  const id = '7b0d3c52-5f5e-4f44-9d0c-0c1f6a1b2c3d';
  it('a room code is taken as people type it', () => {
    const { code } = RoomClaimRequest.parse({ room_id: id, code: ' abcd-efgh 1oil-0000 ' });
    expect(code).toBe('ABCDEFGH10110000');
    for (const bad of ['short', 'ABCD_EFGH_1234', '', 'x'.repeat(65)])
      expect(ok(RoomClaimRequest, { room_id: id, code: bad })).toBe(false);
  });
  it('an address is invited in lower case, and a tenant to a room', () => {
    const invitation = { email: ' Ann@Example.COM ', role: 'viewer' };
    expect(OrgInvitationCreate.parse(invitation).email).toBe('ann@example.com');
    expect(ok(OrgInvitationCreate, { ...invitation, role: 'tenant', location_id: id })).toBe(true);
    expect(ok(OrgInvitationCreate, { ...invitation, role: 'tenant' })).toBe(false);
    expect(ok(OrgInvitationCreate, { ...invitation, location_id: id })).toBe(false);
    expect(ok(OrgInvitationCreate, { ...invitation, role: 'admin' })).toBe(false);
    expect(ok(OrgInvitationCreate, { ...invitation, email: 'ann' })).toBe(false);
  });
  it('many devices are assigned somewhere, or nothing is asked', () => {
    expect(ok(BulkAssignRequest, { serials: ['EC-1'], location_id: null })).toBe(true);
    expect(ok(BulkAssignRequest, { serials: ['EC-1'] })).toBe(false);
    expect(ok(BulkAssignRequest, { serials: [], location_id: null })).toBe(false);
  });
});

describe('errors', () => {
  it('every code has a status and a title', () => {
    expect(Object.keys(ERROR_TITLE)).toEqual(ERROR_CODES);
    for (const code of ERROR_CODES) expect(ERROR_STATUS[code]).toBeGreaterThanOrEqual(400);
    expect(isErrorCode('toString')).toBe(false);
  });
});

describe('live topics', () => {
  it('are asked by org id or serial and answered with an epoch', () => {
    const id = '7b0d3c52-5f5e-4f44-9d0c-0c1f6a1b2c3d';
    expect(ok(LiveAsk, `org:${id}`) && ok(LiveAsk, 'device:EC-1')).toBe(true);
    expect(ok(LiveAsk, `bell:${id}`)).toBe(true);
    expect(ok(LiveAsk, 'org:*') || ok(LiveAsk, 'device:a/b')).toBe(false);
    expect(parseLiveTopic(`org:${id}:3`)).toEqual({ kind: 'org', id, epoch: 3 });
    expect(parseLiveTopic(`bell:${id}:1`)?.kind).toBe('bell');
    expect(parseLiveTopic(`org:${id}`)).toBeNull();
  });
});

describe('metrics', () => {
  it('print with their decimals and unit', () => {
    expect(formatMetric(24.26, { decimals: 1, unit: '°C' })).toBe('24.3 °C');
    expect(formatMetric(7, { decimals: 0, unit: '' })).toBe('7');
  });
});
