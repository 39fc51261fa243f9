import { describe, expect, it } from 'vitest';
import { battery, rebootReason, signal } from './health.ts';

describe('health in words', () => {
  it('turns cell voltage into percent and warns before the floor of 3.5 V', () => {
    expect(battery(4.2)).toMatchObject({ percent: 100, level: 'ok' });
    expect(battery(3.3)?.percent).toBe(0);
    expect(battery(5)?.percent).toBe(100);
    expect(battery(3.6)).toMatchObject({ percent: 33, level: 'warn' });
    expect(battery(3.49)?.level).toBe('bad');
    expect(battery('4.2')).toBeNull();
  });

  it('grades the signal', () => {
    expect(signal(-61)?.word).toBe('Strong');
    expect(signal(-110)?.level).toBe('bad');
    expect(signal(undefined)).toBeNull();
  });

  it('explains why a device restarted, and shows codes it does not know as they are', () => {
    expect(rebootReason('WDT')?.level).toBe('bad');
    expect(rebootReason('SOLAR_FLARE')?.word).toBe('SOLAR_FLARE');
    expect(rebootReason(3)).toBeNull();
  });
});
