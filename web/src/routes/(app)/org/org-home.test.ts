import { describe, expect, it } from 'vitest';
import { describeActivity } from '#lib/audit/activity-words.ts';
import { byType } from './firmware-shares.ts';
import { meterSegments } from './meter-segments.ts';
import { byPlace, shortPlace } from './rooms/room-place.ts';

describe('the fleet meter', () => {
  const count = (segments: string[], status: string) =>
    segments.filter((segment) => segment === status).length;

  it('has one segment per device while they fit', () => {
    expect(meterSegments({ online: 2, offline: 1, never_seen: 0 })).toEqual(['online', 'online', 'offline']);
    expect(meterSegments({ online: 0, offline: 0, never_seen: 0 })).toEqual([]);
  });

  it('never hides the one that is offline among thousands', () => {
    const segments = meterSegments({ online: 9998, offline: 1, never_seen: 1 });
    expect(segments).toHaveLength(60);
    expect(count(segments, 'offline')).toBe(1);
    expect(count(segments, 'never_seen')).toBe(1);
  });

  it('is always as long as it should be', () => {
    for (const counts of [
      { online: 61, offline: 0, never_seen: 0 },
      { online: 100, offline: 100, never_seen: 100 },
      { online: 1, offline: 1, never_seen: 500 },
    ]) {
      expect(meterSegments(counts)).toHaveLength(60);
    }
  });
});

describe('firmware shares', () => {
  const row = (fw_version: string | null, devices: number, product_type = 'a') => ({
    product_type,
    fw_version,
    devices,
  });

  it('orders versions like a person would, the unknown last', () => {
    const [type] = byType([row('1.9.0', 1), row(null, 5), row('1.10.0', 2)]);
    expect(type?.versions.map((share) => share.label)).toEqual(['1.10.0', '1.9.0', 'unknown']);
    expect(type?.devices).toBe(8);
  });

  it('sums up the tail instead of listing twenty versions', () => {
    const [type] = byType(['1', '2', '3', '4', '5', '6'].map((version) => row(version, 1)));
    expect(type?.versions).toEqual([
      { label: '6', version: '6', devices: 1 },
      { label: '5', version: '5', devices: 1 },
      { label: '4', version: '4', devices: 1 },
      { label: '3 others', version: null, devices: 3 },
    ]);
  });

  it('puts the biggest product type first', () => {
    expect(byType([row('1', 1, 'small'), row('1', 9, 'big')]).map((type) => type.productType)).toEqual([
      'big',
      'small',
    ]);
  });
});

describe('activity in words', () => {
  it('reads actions of any part, also new ones', () => {
    const words = (action: string) =>
      describeActivity({ action, actor_label: 'a@b.c', target_label: 'X' }).before;
    expect(words('device_registered')).toBe('Device registered');
    expect(words('api_key_revoked')).toBe('API key revoked');
    expect(words('ota_pushed')).toBe('Firmware pushed');
    expect(words('warp_drive_engaged')).toBe('Warp drive engaged');
  });

  it('does not blame "system"', () => {
    expect(describeActivity({ action: 'x', actor_label: 'system', target_label: null }).actor).toBeNull();
  });
});

describe('where rooms stand', () => {
  const room = (name: string, path: string | null) => ({ name, path });

  it('is told without repeating the room and in two levels', () => {
    expect(shortPlace(room('Lab', 'Plant · Hall A · 2nd floor · Lab'))).toBe('Hall A · 2nd floor');
    expect(shortPlace(room('Lab', 'Lab'))).toBeNull();
    expect(shortPlace(room('Lab', null))).toBeNull();
  });

  it('groups them, without the site that all share, in natural order, the rest last', () => {
    const groups = byPlace([
      room('Room 10', 'Plant · Hall A · 1st floor · Room 10'),
      room('Shed', null),
      room('Room 9', 'Plant · Hall A · 1st floor · Room 9'),
      room('Vans', 'Plant · Depot · Vans'),
    ]);
    expect(groups.map((group) => [group.place, group.rooms.map((member) => member.name)])).toEqual([
      ['Depot', ['Vans']],
      ['Hall A · 1st floor', ['Room 9', 'Room 10']],
      ['', ['Shed']],
    ]);
  });

  it('keeps the place when all rooms share it', () => {
    const groups = byPlace([room('1', 'Plant · 1'), room('2', 'Plant · 2')]);
    expect(groups.map((group) => group.place)).toEqual(['Plant']);
  });
});
