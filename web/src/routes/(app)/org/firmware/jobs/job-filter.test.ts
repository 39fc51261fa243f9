import { describe, expect, it } from 'vitest';
import { readJobFilter, withJobFilter } from './job-filter.ts';

describe('the filter of the list of jobs', () => {
  it('reads what it offers and nothing else', () => {
    expect(readJobFilter(new URLSearchParams('state=running&type=T&x=1'))).toEqual({
      state: 'running',
      type: 'T',
    });
    expect(readJobFilter(new URLSearchParams('state=dancing&type='))).toEqual({});
  });

  it('changes one part and starts at the first page', () => {
    const params = new URLSearchParams('state=running&type=T&after=x');
    expect(withJobFilter(params, { state: null })).toBe('/org/firmware/jobs?type=T');
    expect(withJobFilter(params, { type: null, state: null })).toBe('/org/firmware/jobs');
  });
});
