import { describe, expect, it } from 'vitest';
import { newJobPath, readTarget } from './target.ts';

const none = () => [];
const read = (search: string, stored: (key: string) => string[] = none) =>
  readTarget(new URLSearchParams(search), stored);
const SAVED = '0192f0c1-0000-7000-8000-000000000001';

describe('the target of a job in an address', () => {
  it('is devices, a saved filter, a product type or a filter, in this order', () => {
    expect(read('serials=A,B&type=T')).toEqual({ serials: ['A', 'B'] });
    expect(read(`saved=${SAVED}&type=T`)).toEqual({ filter_id: SAVED });
    expect(read('type=T&tag=x')).toEqual({ product_type: 'T' });
    expect(read('tag=pilot&status=online&after=x')).toEqual({ filter: { tag: 'pilot', status: 'online' } });
  });

  it('is nobody where nothing, or nonsense, is said', () => {
    expect(read('')).toBeNull();
    expect(read('serials=&saved=1&q=%20')).toBeNull();
  });

  it('reads back what it writes', () => {
    const targets = [
      { serials: ['EC-1', 'EC-2'] },
      { filter_id: SAVED },
      { product_type: 'EC-CLIMATE-V1' },
      { filter: { room_id: SAVED, q: 'lab & co' } },
    ];
    for (const target of targets) expect(read(newJobPath(target, 'fw').split('?')[1]!)).toEqual(target);
    expect(newJobPath(null)).toBe('/org/firmware/jobs/new');
    expect(newJobPath(null, 'fw')).toBe('/org/firmware/jobs/new?firmware=fw');
  });

  it('keeps many devices beside the address', () => {
    const serials = Array.from({ length: 5000 }, (_, i) => `EC-CLM-${i}`);
    const kept = new Map<string, readonly string[]>();
    const keep = (those: readonly string[]) => {
      kept.set(`k${kept.size}`, those);
      return `k${kept.size - 1}`;
    };
    const path = newJobPath({ serials }, undefined, keep);
    newJobPath({ serials: serials.slice(1000) }, undefined, keep);
    expect(path).toBe('/org/firmware/jobs/new?chosen=k0');
    expect(read(path.split('?')[1]!, (key) => [...(kept.get(key) ?? [])])).toEqual({ serials });
    // The link in another tab: nobody is chosen there.
    expect(read(path.split('?')[1]!)).toBeNull();
  });
});
