import { describe, expect, it } from 'vitest';
import { readDeviceQuery, withDeviceQuery } from './device-query.ts';

const read = (search: string) => readDeviceQuery(new URLSearchParams(search));

describe('the devices of a job in an address', () => {
  it('are those of a group, of one state, of a reason, of a stage', () => {
    expect(read('show=working').state).toEqual(['rebooting', 'installing', 'downloading', 'sent']);
    expect(read('show=failed&reason=crash_loop')).toEqual({
      state: ['failed', 'rolled_back', 'timed_out', 'rejected'],
      reason: 'crash_loop',
    });
    expect(read('show=rolled_back&stage=0&q=%20lab%20')).toEqual({
      state: ['rolled_back'],
      stage: 0,
      q: 'lab',
    });
  });

  it('are all where the address makes no sense', () => {
    expect(read('show=dancing&stage=-1&q=&after=x')).toEqual({});
  });

  it('start at the first page when the filter changes', () => {
    const params = new URLSearchParams('show=failed&q=lab&after=x');
    expect(withDeviceQuery('/j', params, { show: null })).toBe('/j?q=lab');
    expect(withDeviceQuery('/j', new URLSearchParams(), {})).toBe('/j');
  });
});
