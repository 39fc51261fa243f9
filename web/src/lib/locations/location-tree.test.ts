import type { Location } from '@edgeconductor/sdk';
import { describe, expect, it } from 'vitest';
import { parentsFor, pathOf, toTree, typesInside, zoneOf } from './location-tree.ts';

const at = (
  id: string,
  type: Location['type'],
  parent_id: string | null = null,
  timezone: string | null = null,
): Location => ({ id, org_id: 'o', type, parent_id, name: id, timezone, created_at: '' });

const places = [
  at('Floor 10', 'floor', 'Hall'),
  at('Lab', 'room', 'Floor 2'),
  at('Plant', 'site', null, 'Asia/Tokyo'),
  at('Hall', 'building', 'Plant'),
  at('Floor 2', 'floor', 'Hall'),
  at('Shed', 'room'),
];

describe('the location tree', () => {
  it('is built whatever the order of the rows, and sorted the way people count', () => {
    const [plant, shed] = toTree(places);
    expect(plant!.location.name).toBe('Plant');
    expect(shed!.location.name).toBe('Shed');
    expect(plant!.children[0]!.children.map(({ location }) => location.name)).toEqual([
      'Floor 2',
      'Floor 10',
    ]);
    expect([plant!.rooms, shed!.rooms]).toEqual([1, 1]);
  });

  it('shows a place whose parent is out of sight at the top', () => {
    expect(toTree([at('Lab', 'room', 'unknown')])).toHaveLength(1);
  });

  it('offers only what may lie inside', () => {
    expect(typesInside(null)).toEqual(['site', 'building', 'floor', 'room']);
    expect(typesInside('building')).toEqual(['floor', 'room']);
    expect(typesInside('room')).toEqual([]);
  });

  it('moves a place only under a wider one', () => {
    const floor = places.find(({ id }) => id === 'Floor 2')!;
    expect(parentsFor(places, floor).map(({ id }) => id)).toEqual(['Plant', 'Hall']);
  });

  it('names the way to a place', () => {
    expect(pathOf(places, 'Lab')).toEqual(['Plant', 'Hall', 'Floor 2', 'Lab']);
    expect(pathOf(places, 'nowhere')).toEqual([]);
  });

  it('takes the zone of the nearest place that names one', () => {
    expect(zoneOf(places, 'Lab', 'UTC')).toEqual({ zone: 'Asia/Tokyo', from: 'Plant' });
    expect(zoneOf(places, 'Shed', 'UTC')).toEqual({ zone: 'UTC', from: null });
    expect(zoneOf(places, null, 'UTC')).toEqual({ zone: 'UTC', from: null });
  });
});
