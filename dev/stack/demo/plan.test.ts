import { SERIAL_PATTERN } from '@edgeconductor/sdk/contract';
import { describe, expect, it } from 'vitest';
import { profileOf } from './board.ts';
import { historyTimes } from './history-times.ts';
import { DEVICES, ORGS, PEOPLE, REGISTRAR, type Place } from './plan.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 22, 21, 17, 3, 211);

describe('the demo plan', () => {
  const roomsOf = (places: readonly Place[]): string[] =>
    places.flatMap(({ type, name, parts }) => [...(type === 'room' ? [name] : []), ...roomsOf(parts ?? [])]);

  it('puts every device into a room of its org', () => {
    for (const { serial, org, room } of DEVICES) {
      expect(serial).toMatch(SERIAL_PATTERN);
      expect(roomsOf(ORGS.find(({ slug }) => slug === org)!.places), serial).toContain(room);
    }
    expect(new Set(DEVICES.map(({ serial }) => serial)).size).toBe(DEVICES.length);
  });

  it('has about two dozen climate nodes, six trackers, and the odd ones', () => {
    expect(DEVICES.filter(({ climate }) => climate)).toHaveLength(24);
    expect(DEVICES.filter(({ tracker }) => tracker)).toHaveLength(6);
    expect(DEVICES.filter(({ unused }) => unused)).toHaveLength(1);
    expect(DEVICES.filter(({ silentForH }) => silentForH)).toHaveLength(1);
    expect(DEVICES.filter(({ faults }) => faults?.garble)).toHaveLength(1);
    expect(DEVICES.filter(({ climate }) => climate?.supply === 'weak')).toHaveLength(1);
  });

  it('has somebody for every role, in rooms that exist, and an administrator to register each org', () => {
    expect(new Set(PEOPLE.map(({ role }) => role))).toEqual(
      new Set(['partner', 'org_admin', 'operator', 'viewer', 'customer', 'tenant']),
    );
    for (const { org, room } of PEOPLE)
      if (room) expect(roomsOf(ORGS.find(({ slug }) => slug === org)!.places)).toContain(room);
    for (const { slug } of ORGS)
      expect(PEOPLE.find(({ email }) => email === REGISTRAR[slug])).toMatchObject({
        role: 'org_admin',
        org: slug,
      });
    for (const { customer } of DEVICES)
      if (customer) expect(PEOPLE.find(({ email }) => email === customer)?.role).toBe('customer');
  });

  it('has a profile for every device', () => {
    for (const device of DEVICES)
      expect(Object.keys(profileOf(device).sample(NOW)).length).toBeGreaterThan(7);
  });
});

describe('the history of a device', () => {
  const times = historyTimes('EC-CLM-ACME01', NOW, 5);
  const between = (from: number, to: number) => times.filter((at) => at >= NOW - from && at < NOW - to);

  it('reaches two weeks back and up to now, in order and without a moment twice', () => {
    expect(times[0]!).toBeLessThan(NOW - 13.5 * 24 * HOUR);
    expect(times.at(-1)!).toBeGreaterThan(NOW - 5_001);
    expect(times.at(-1)!).toBeLessThan(NOW);
    expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b));
  });

  it('is the coarser the older it is', () => {
    expect(between(HOUR, 0).length).toBeGreaterThan(700);
    expect(between(10 * HOUR, HOUR).length).toBeLessThanOrEqual(9 * 60 + 1);
    expect(between(4 * 24 * HOUR, 3 * 24 * HOUR).length).toBeLessThanOrEqual(289);
    expect(between(10 * 24 * HOUR, 9 * 24 * HOUR).length).toBeLessThanOrEqual(97);
    expect(times.length).toBeGreaterThan(3_800);
    expect(times.length).toBeLessThan(5_000);
  });

  it('has a gap where the device was out of reach', () => {
    const gaps = (serial: string) => {
      const all = historyTimes(serial, NOW, 5);
      return all.filter((at, i) => i > 0 && at - all[i - 1]! > 1_500_000).length;
    };
    expect(DEVICES.reduce((sum, { serial }) => sum + gaps(serial), 0)).toBeGreaterThan(10);
  });

  it('ends where the device went silent', () => {
    expect(historyTimes('EC-CLM-ACME01', NOW, 5, 26).at(-1)!).toBeLessThanOrEqual(NOW - 26 * HOUR);
  });
});
