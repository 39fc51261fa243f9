import { describe, expect, it } from 'vitest';
import { readMemberFilter, withMemberFilter } from './member-filter.ts';

describe('the filter of the members', () => {
  it('is read from the address, unknown roles left out', () => {
    expect(readMemberFilter(new URLSearchParams('role=viewer&q=%20lang%20'))).toEqual({
      role: 'viewer',
      q: 'lang',
    });
    expect(readMemberFilter(new URLSearchParams('role=admin&q='))).toEqual({});
  });

  it('changes one part and keeps the other', () => {
    const params = new URLSearchParams('role=viewer&q=lang');
    expect(withMemberFilter(params, { role: null })).toBe('/org/settings/members?q=lang');
    expect(withMemberFilter(params, { role: 'tenant' })).toBe('/org/settings/members?role=tenant&q=lang');
    expect(withMemberFilter(new URLSearchParams(), {})).toBe('/org/settings/members');
  });
});
