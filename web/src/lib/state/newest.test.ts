import { ConnectionError } from '@edgeconductor/sdk';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Newest } from './newest.svelte.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
const pause = () => vi.advanceTimersByTimeAsync(250);

describe('the answer to a question that keeps changing', () => {
  it('is asked for once things are quiet, and only the newest counts', async () => {
    const slow = Promise.withResolvers<string>();
    const ask = vi.fn((question: string) =>
      question === 'first' ? slow.promise : Promise.resolve(`${question}!`),
    );
    const newest = new Newest(ask);
    for (const question of ['f', 'fi', 'first']) newest.ask(question);
    await pause();
    newest.ask('second');
    await pause();
    slow.resolve('too late');
    await pause();
    expect(ask.mock.calls.flat()).toEqual(['first', 'second']);
    expect(newest).toMatchObject({ answer: 'second!', pending: false });
  });

  it('is nothing while there is nothing to ask, and says why it failed', async () => {
    const newest = new Newest<string, string>(async (question) => {
      if (question === 'bad') throw new ConnectionError('down');
      return question;
    });
    newest.ask('good');
    await pause();
    newest.ask('bad');
    expect(newest).toMatchObject({ answer: 'good', pending: true });
    await pause();
    expect(newest.answer).toBeNull();
    expect(newest.problem?.code).toBe('unreachable');
    newest.ask(null);
    expect(newest).toMatchObject({ answer: null, problem: null, pending: false });
  });
});
