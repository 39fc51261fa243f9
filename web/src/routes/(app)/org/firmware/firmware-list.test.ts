import type { Firmware, ProductType } from '@edgeconductor/sdk';
import { describe, expect, it } from 'vitest';
import {
  byProductType,
  hiddenImages,
  otherProjects,
  runningOn,
  typeOfProject,
  uploadableTypes,
} from './firmware-list.ts';

const image = (product_type: string, version: string, state: Firmware['state'] = 'ready') =>
  ({ product_type, version, state, project: `${product_type}-node`, ready_at: '' }) as Firmware;
const list = [
  image('B', '2.0.0'),
  image('A', '1.3.0', 'refused'),
  image('A', '1.2.0'),
  image('B', '1.9.0', 'retired'),
];

describe('the list of images', () => {
  it('stands by product type, with those that can be installed', () => {
    expect(byProductType(list, false).map(({ productType, images }) => [productType, images.length])).toEqual(
      [
        ['B', 1],
        ['A', 1],
      ],
    );
    expect(byProductType(list, true).map(({ images }) => images.length)).toEqual([2, 2]);
    expect(hiddenImages(list)).toBe(2);
  });

  it('says nothing of uploads that were called off', () => {
    const calledOff = { ...image('A', '1.4.0', 'retired'), ready_at: null };
    expect(hiddenImages([...list, calledOff])).toBe(2);
    expect(byProductType([calledOff], true)).toEqual([]);
  });

  it('knows what a project was for until now', () => {
    expect(typeOfProject(list, 'B-node')).toBe('B');
    expect(typeOfProject(list, 'C-node')).toBe('');
    expect(typeOfProject(list, undefined)).toBe('');
  });

  it('notices an image of another product under a type', () => {
    expect(otherProjects(list, 'B', 'A-node')).toBe('B-node');
    expect(otherProjects(list, 'B', 'B-node')).toBeNull();
    expect(otherProjects(list, 'C', 'A-node')).toBeNull();
    expect(otherProjects(list, 'B', undefined)).toBeNull();
  });

  it('knows how many devices run an image', () => {
    const counts = [{ product_type: 'A', fw_version: '1.2.0', devices: 12 }];
    expect(runningOn(counts, image('A', '1.2.0'))).toBe(12);
    expect(runningOn(counts, image('B', '1.2.0'))).toBe(0);
  });

  it('offers the types that are open or made here', () => {
    const type = (key: string, maker_org_id: string | null) => ({ key, maker_org_id }) as ProductType;
    const types = [type('open', null), type('ours', 'acme'), type('theirs', 'northwind')];
    expect(uploadableTypes(types, 'acme').map(({ key }) => key)).toEqual(['open', 'ours']);
  });
});
