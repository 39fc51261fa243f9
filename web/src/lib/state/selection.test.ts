import { describe, expect, it } from 'vitest';
import { Selection } from './selection.svelte.ts';

describe('ticked rows', () => {
  it('are counted once and kept when the page turns', () => {
    const selection = new Selection<number>();
    selection.set('a', 1, true);
    selection.set('a', 1, true);
    selection.set('b', 2, true);
    expect(selection.size).toBe(2);
    expect(selection.of(['c', 'd'])).toBe('none');
    expect(selection.items).toEqual([1, 2]);
  });

  it('tell a header whether all, some or none of its page are ticked', () => {
    const selection = new Selection<number>();
    expect(selection.of([])).toBe('none');
    selection.set('a', 1, true);
    expect(selection.of(['a', 'b'])).toBe('some');
    selection.set('b', 2, true);
    expect(selection.of(['a', 'b'])).toBe('all');
    selection.set('a', 1, false);
    expect(selection.of(['a', 'b'])).toBe('some');
  });
});
