import { describe, expect, it } from 'vitest';
import { comfortOf } from './comfort.ts';

describe('comfort in words', () => {
  it('is comfortable when nothing is wrong', () => {
    expect(comfortOf({ temp: 22, hum: 45, co2: 700 })).toMatchObject({
      level: 'good',
      word: 'Comfortable',
      because: null,
    });
  });

  it('names the worst finding, air before warmth before moisture', () => {
    expect(comfortOf({ temp: 26.4, hum: 45, co2: 1200 })).toMatchObject({
      level: 'fair',
      word: 'Stuffy',
      because: 'co2',
    });
    expect(comfortOf({ temp: 29, hum: 25, co2: 1200 })).toMatchObject({
      level: 'poor',
      word: 'Hot',
      because: 'temp',
    });
    expect(comfortOf({ temp: 22, hum: 15, co2: 500 })).toMatchObject({ level: 'poor', word: 'Very dry' });
  });

  it('judges only what was measured', () => {
    expect(comfortOf({ temp: 22 }).word).toBe('Comfortable');
    expect(comfortOf({}).level).toBe('unknown');
    expect(comfortOf({ temp: '22' }).level).toBe('unknown');
  });
});
