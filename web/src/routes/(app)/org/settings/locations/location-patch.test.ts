import { describe, expect, it } from 'vitest';
import { patchOf } from './location-patch.ts';

const lab = { name: 'Lab', timezone: null, parent_id: 'f1' };

describe('a change of a place', () => {
  it('is empty when nothing differs', () => {
    expect(patchOf(lab, { ...lab })).toEqual({ patch: {}, before: {} });
  });

  it('holds what differs and the way back, nothing else', () => {
    expect(patchOf(lab, { ...lab, timezone: 'Asia/Tokyo', parent_id: null })).toEqual({
      patch: { timezone: 'Asia/Tokyo', parent_id: null },
      before: { timezone: null, parent_id: 'f1' },
    });
  });
});
