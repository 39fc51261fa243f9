import { describe, expect, it } from 'vitest';
import { compareVersions } from './versions.ts';

describe('versions', () => {
  it('are ordered as the platform does it', () => {
    const ordered = ['0.9', '1.0.0-rc.1', '1.0.0-rc.10', '1.0.0', 'v1.2.0', '1.10.0'];
    expect([...ordered].reverse().sort(compareVersions)).toEqual(ordered);
    expect(compareVersions('v1.0.0', '1.0.0+build.7')).toBe(0);
  });
});
