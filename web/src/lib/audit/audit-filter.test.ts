import { describe, expect, it } from 'vitest';
import { readAuditFilter, startOfDay, toAuditQuery } from './audit-filter.ts';

describe('filters of the audit log', () => {
  it('are read from the address, nonsense left out', () => {
    const params = new URLSearchParams('action=org_updated&actor=%20ada%20&from=2026-11-01&to=soon&x=1');
    expect(readAuditFilter(params)).toEqual({ action: 'org_updated', actor: 'ada', from: '2026-11-01' });
    expect(readAuditFilter(new URLSearchParams('from=2026-13-40'))).toEqual({});
  });

  it('ask for whole days of the reader, the last one included', () => {
    expect(toAuditQuery({ actor: 'ada', from: '2026-11-01', to: '2026-11-01' }, 'Europe/Berlin')).toEqual({
      actor: 'ada',
      from: '2026-10-31T23:00:00.000Z',
      to: '2026-11-01T23:00:00.000Z',
    });
  });

  it.each([
    ['2026-07-15', 'UTC', '2026-07-15T00:00:00.000Z'],
    ['2026-07-15', 'America/New_York', '2026-07-15T04:00:00.000Z'],
    ['2026-07-15', 'Asia/Kathmandu', '2026-07-14T18:15:00.000Z'],
    ['2026-03-29', 'Europe/Berlin', '2026-03-28T23:00:00.000Z'],
    ['2026-03-30', 'Europe/Berlin', '2026-03-29T22:00:00.000Z'],
    ['2026-10-26', 'Europe/Berlin', '2026-10-25T23:00:00.000Z'],
  ])('%s begins in %s at %s', (day, zone, moment) => {
    expect(startOfDay(day, zone).toISOString()).toBe(moment);
  });
});
