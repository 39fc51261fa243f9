import { expect, it } from 'vitest';
import { commandWords } from './command-words.ts';

const words = (state: 'queued' | 'sent' | 'acknowledged' | 'failed' | 'expired', more = {}) =>
  commandWords({ state, reason: null, sent_at: null, ...more });

it('tell where a command is and what became of it', () => {
  expect(words('queued').word).toBe('Queued');
  expect(words('sent').detail).toBe('The device has not answered yet.');
  expect(words('acknowledged')).toEqual({ word: 'Done', tone: 'ok', detail: '' });
});

it('tell an end without an answer from one that never arrived', () => {
  expect(words('expired').detail).toBe('It never reached the device.');
  expect(words('expired', { sent_at: '2026-11-22T12:00:00Z' }).detail).toBe(
    'The device did not answer in time.',
  );
});

it('give the reason of a failure in words, the device’s own where nobody knows better', () => {
  expect(words('failed', { reason: 'cancelled' })).toMatchObject({ word: 'Taken back', tone: 'plain' });
  expect(words('failed', { reason: 'unknown_command' }).detail).toContain('does not know');
  expect(words('failed', { reason: 'valve is jammed' }).detail).toBe('valve is jammed');
  expect(words('failed').detail).toBe('The device gave no reason.');
});
