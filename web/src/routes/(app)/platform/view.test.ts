import { describe, expect, it } from 'vitest';
import { platformAddress, readPlatformView } from './view.ts';

describe('the view of the platform in the address', () => {
  it('is read back as it was written', () => {
    for (const [tab, q] of [
      ['orgs', ''],
      ['users', 'ada & bob'],
      ['devices', 'EC-1'],
    ] as const) {
      const { searchParams } = new URL(platformAddress(tab, q), 'http://x');
      expect(readPlatformView(searchParams)).toEqual({ tab, q });
    }
  });

  it('is the organisations for an unknown tab', () => {
    expect(readPlatformView(new URLSearchParams('tab=secrets')).tab).toBe('orgs');
  });
});
