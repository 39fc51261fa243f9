import { describe, expect, it } from 'vitest';
import { diffOf } from './audit-diff.ts';

describe('before and after of an audit entry', () => {
  it('show only what was changed', () => {
    expect(diffOf({ name: 'Lab', floor: 2, id: 'x' }, { name: 'Lab 2', floor: 2, id: 'x' })).toEqual([
      { key: 'name', before: 'Lab', after: 'Lab 2' },
    ]);
  });

  it('go into nested parts and name the way', () => {
    expect(diffOf({ attributes: { po: 'A1', keep: 1 } }, { attributes: { keep: 1, owner: 'Ada' } })).toEqual([
      { key: 'attributes.owner', before: null, after: 'Ada' },
      { key: 'attributes.po', before: 'A1', after: null },
    ]);
  });

  it('show a new thing whole, without its empty parts', () => {
    expect(diffOf(null, { name: 'Lab', timezone: null, tags: [], brand: {} })).toEqual([
      { key: 'name', before: null, after: 'Lab' },
    ]);
  });

  it('leave out what changes by itself', () => {
    expect(diffOf({ live_epoch: 1 }, { live_epoch: 2 })).toEqual([]);
  });

  it('read lists as people write them and take a bare value as it is', () => {
    expect(diffOf({ tags: ['a'] }, { tags: ['a', 'b'] })).toEqual([
      { key: 'tags', before: 'a', after: 'a, b' },
    ]);
    expect(diffOf(1, 2)).toEqual([{ key: 'value', before: '1', after: '2' }]);
  });

  it('tell false and zero from nothing', () => {
    expect(diffOf({ relay: true, n: 0 }, { relay: false, n: null })).toEqual([
      { key: 'n', before: '0', after: null },
      { key: 'relay', before: 'true', after: 'false' },
    ]);
  });
});
