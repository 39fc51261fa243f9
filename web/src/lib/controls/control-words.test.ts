import { describe, expect, it } from 'vitest';
import type { Problem } from '#lib/problem.ts';
import type { ControlPhase } from './control-state.ts';
import { plainWords, staffWords, valueWords } from './control-words.ts';

const number = {
  kind: 'number',
  unit: '°C',
  decimals: 1,
  options: [] as never[],
  on: 'On',
  off: 'Off',
} as const;
const choice = { ...number, unit: '', options: [{ value: 'eco', label: 'Eco' }] };
const at = (phase: ControlPhase) => ({ phase, shown: 22, reportedAt: null });

describe('a value of a control', () => {
  it.each([
    [number, 21.5, '21.5 °C'],
    [choice, 'eco', 'Eco'],
    [choice, 'tropical', '“tropical”'],
    [{ ...number, on: 'Open' }, true, 'Open'],
    [number, { kp: 1 }, '{"kp":1}'],
    [number, '', 'nothing'],
    [number, undefined, '–'],
  ])('reads as people say it', (control, value, words) => {
    expect(valueWords(control, value)).toBe(words);
  });
});

describe('the words of a control', () => {
  it('tell staff what the device still reports, and what may be the matter', () => {
    expect(staffWords(number, at('late'), 22, 20, null, 10_000)).toEqual({
      tone: 'bad',
      word: 'Not confirmed within 10 s',
      detail:
        '22.0 °C was asked for; the device is online but still reports 20.0 °C. It may be busy, or its firmware does not know this key.',
    });
    expect(staffWords(number, at('waiting'), 22, undefined, null, 0)).toMatchObject({
      word: 'Applies when it reconnects',
      detail: 'The device is not connected and has never reported it.',
    });
  });

  it('tell a customer the same without a word of jargon', () => {
    expect(plainWords(number, at('late'), 22, 20, null)).toMatchObject({
      word: 'The device did not answer',
      detail: 'You asked for 22.0 °C. It still stands on 20.0 °C. Make sure it has power and a connection.',
    });
    expect(plainWords(number, at('in_step'), 22, 22, null).word).toBe('The device has it');
  });

  it('name what somebody else did, and what the platform said', () => {
    const theirs = { problem: null, theirs: true, value: 19 } as const;
    expect(staffWords(number, at('refused'), 22, 20, theirs, 0).detail).toContain('became 19.0 °C');
    const problem = {
      status: 409,
      code: 'conflict',
      title: 'No',
      detail: 'This device is retired.',
    } as Problem;
    expect(plainWords(number, at('refused'), 22, 20, { problem, theirs: false }).detail).toBe(
      'This device is retired.',
    );
    const lost = { ...problem, code: 'unreachable' as const };
    expect(staffWords(number, at('refused'), 22, 20, { problem: lost, theirs: false }, 0).word).toBe(
      'Not sent',
    );
  });
});
