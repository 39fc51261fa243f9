import { describe, expect, it } from 'vitest';
import {
  carefulStages,
  paceSentence,
  stageName,
  stageSizes,
  stagesFor,
  usualCanary,
  type StageShape,
} from './stage-plan.ts';

describe('the careful way through a fleet', () => {
  it('starts with one in a hundred, at least one and at most ten', () => {
    expect([1, 50, 100, 101, 2000].map(usualCanary)).toEqual([1, 1, 1, 2, 10]);
  });

  it('goes on in growing shares, and waits after each but the last', () => {
    expect(carefulStages(1000, 10, 600)).toEqual([
      { count: 10, soak_s: 600 },
      { percent: 5, soak_s: 600 },
      { percent: 25, soak_s: 600 },
      { percent: 50, soak_s: 600 },
      { percent: 100, soak_s: 0 },
    ]);
  });

  it('leaves out shares that would add nobody', () => {
    expect(carefulStages(12, 1, 60).map((stage: StageShape) => stage.percent)).toEqual([
      undefined,
      25,
      50,
      100,
    ]);
    expect(carefulStages(1, 1, 60)).toEqual([{ count: 1, soak_s: 60 }]);
    for (const devices of [2, 3, 7, 40, 333, 50_000])
      for (const canary of [1, 2, usualCanary(devices)]) {
        const sizes = stageSizes(carefulStages(devices, canary, 60), devices);
        expect(Math.min(...sizes)).toBeGreaterThan(0);
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(devices);
      }
  });

  it('is one stage when everybody goes at once', () => {
    expect(stagesFor('at_once', 500, 5, 60)).toEqual([{ percent: 100 }]);
  });

  it('reads as a sentence', () => {
    expect(paceSentence(carefulStages(1000, 10, 1800), 1000)).toBe(
      '10 devices first, then up to 5, 25, 50 and 100 %, each time after 30 min without trouble.',
    );
    expect(paceSentence(carefulStages(2, 1, 0), 2)).toBe('1 device first, then up to 100 %.');
    expect(paceSentence([{ percent: 100 }], 9)).toBe('All of them at once.');
  });

  it('names each stage', () => {
    const stages = carefulStages(1000, 10, 60);
    expect(stages.map((stage, i) => stageName(stage, i, stages.length))).toEqual([
      'Canary',
      'Up to 5 %',
      'Up to 25 %',
      'Up to 50 %',
      'All others',
    ]);
    expect(stageName({ percent: 100 }, 0, 1)).toBe('All at once');
    expect(stageName({ serials: ['A'] }, 1, 3)).toBe('Stage 2');
  });
});
