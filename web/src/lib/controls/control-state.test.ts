import { describe, expect, it } from 'vitest';
import { controlState, patienceFor, type ControlFacts } from './control-state.ts';

const NOW = 1_000_000;
const at = (facts: Partial<ControlFacts>, now = NOW) =>
  controlState(
    {
      ...{ key: 'relay', wish: undefined, want: true, have: { value: false, at: NOW - 3_000 } },
      ...{ askedAt: NOW - 1_000, there: true, backAt: null, patienceMs: 10_000 },
      ...facts,
    },
    now,
  );

describe('a control', () => {
  it('that nobody set shows what the device reports', () => {
    expect(at({ want: undefined })).toEqual({ phase: 'unset', shown: false, reportedAt: NOW - 3_000 });
    expect(at({ want: undefined, have: undefined })).toMatchObject({ phase: 'unset', shown: undefined });
  });

  it('shows at once what was asked for, before the platform knows of it', () => {
    expect(at({ want: false, wish: { value: true, state: 'sending' } })).toMatchObject({
      phase: 'sending',
      shown: true,
    });
  });

  it('is pending until the device says the same, and in step from then on', () => {
    expect(at({})).toMatchObject({ phase: 'pending', shown: true });
    expect(at({ have: { value: true, at: NOW } })).toMatchObject({ phase: 'in_step', shown: true });
  });

  it('is in step when numbers and objects mean the same', () => {
    const have = { value: { kp: 1, ki: 2 }, at: NOW };
    expect(at({ want: { kp: 1.0 }, have }).phase).toBe('in_step');
    expect(at({ want: { kp: 3 }, have }).phase).toBe('pending');
  });

  it('falls back to what is reported when a device that is there does not confirm in time', () => {
    expect(at({}, NOW + 8_999).phase).toBe('pending');
    expect(at({}, NOW + 9_000)).toMatchObject({ phase: 'late', shown: false });
    expect(at({ have: undefined }, NOW + 9_000)).toMatchObject({ phase: 'late', shown: true });
  });

  it('waits without end for a device that is away, and gives it its time again when it is back', () => {
    expect(at({ there: false }, NOW + 1e9)).toMatchObject({ phase: 'waiting', shown: true });
    expect(at({ backAt: NOW + 1e9 }, NOW + 1e9 + 5_000).phase).toBe('pending');
    expect(at({ backAt: NOW + 1e9 }, NOW + 1e9 + 10_000).phase).toBe('late');
  });

  it('that was refused stands where it stood', () => {
    expect(at({ want: false, wish: { value: true, state: 'refused' } })).toMatchObject({
      phase: 'refused',
      shown: false,
    });
    expect(at({ want: undefined, wish: { value: true, state: 'refused' } }).shown).toBe(false);
  });
});

it('a device that asks by itself has the time to ask', () => {
  expect(patienceFor('mqtt', 60)).toBe(10_000);
  expect(patienceFor('https', 60)).toBe(130_000);
});
