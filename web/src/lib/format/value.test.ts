import { describe, expect, it } from 'vitest';
import { countOf, formatDuration, formatValue } from './value.ts';

const celsius = { unit: '°C', decimals: 1 };

describe('readings on screen', () => {
  it('keeps the metric’s decimals, so that a column of numbers lines up', () => {
    expect(formatValue(24, celsius)).toEqual({ text: '24.0', unit: '°C' });
    expect(formatValue(24.26, celsius)).toEqual({ text: '24.3', unit: '°C' });
    expect(formatValue(1240, { unit: 'ppm', decimals: 0 })).toEqual({ text: '1,240', unit: 'ppm' });
  });

  it('writes a real minus and never minus zero', () => {
    expect(formatValue(-61, { unit: 'dBm', decimals: 0 }).text).toBe('−61');
    expect(formatValue(-0.04, celsius).text).toBe('0.0');
  });

  it('reads long spans and big sizes in units a person uses', () => {
    expect(formatValue(3840, { unit: 's', decimals: 0 })).toEqual({ text: '1 h 4 min', unit: '' });
    expect(formatValue(17.4, { unit: 's', decimals: 1 })).toEqual({ text: '17.4', unit: 's' });
    expect(formatValue(186432, { unit: 'B', decimals: 0 })).toEqual({ text: '186.4', unit: 'kB' });
  });

  it('shows switches as words, and what is no reading as nothing', () => {
    expect(formatValue(false, celsius).text).toBe('Off');
    expect(formatValue(null, celsius)).toEqual({ text: '–', unit: '' });
    expect(formatValue(Number.NaN, celsius).text).toBe('–');
    expect(formatValue({ a: 1 }, celsius).text).toBe('{…}');
    expect(formatValue([1], celsius).text).toBe('1 item');
  });

  it('answers statements with yes or no', () => {
    expect(formatValue(true, { unit: '', decimals: null, key: 'gps_fix' }).text).toBe('Yes');
    expect(formatValue(true, { unit: '', decimals: null, key: 'relay' }).text).toBe('On');
  });

  it('shows open keys with at most two digits', () => {
    expect(formatValue(3.14159, { unit: '', decimals: null }).text).toBe('3.14');
    expect(formatValue(7, { unit: '', decimals: null }).text).toBe('7');
  });

  it('counts in words', () => {
    expect(countOf(1, 'device')).toBe('1 device');
    expect(countOf(1200, 'device')).toBe('1,200 devices');
    expect(formatDuration(200000)).toBe('2 d 7 h');
    expect(formatDuration(-3)).toBe('0 s');
  });
});
