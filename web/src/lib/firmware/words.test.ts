import { describe, expect, it } from 'vitest';
import { eventWords } from './event-words.ts';
import { countedReasons, excludedWord } from './excluded-words.ts';
import { reasonWords } from './reason-words.ts';
import { fileSize } from './sizes.ts';
import { countGroups, statesOf, totalOf } from './update-words.ts';

describe('an update in words', () => {
  it('says in a sentence why it ended badly, and keeps what nobody translated', () => {
    expect(reasonWords('bad_signature')).toBe('The signature does not match the key it trusts.');
    expect(reasonWords('superseded by job #12')).toBe('Job #12 took its place.');
    expect(reasonWords('deferred: heating is on')).toBe('It asked for more time: heating is on.');
    expect(reasonWords('flash_write_failed')).toBe('Flash write failed.');
    expect(reasonWords('E (4210) esp_ota: 0x1503')).toBe('E (4210) esp_ota: 0x1503.');
    expect(reasonWords(null)).toBe('');
  });

  it('tells what happened on one device, line by line', () => {
    expect(eventWords({ state: 'downloading', detail: { percent: 50 } })).toEqual({
      text: 'Downloading 50 %',
      detail: '',
    });
    expect(eventWords({ state: 'queued', detail: { event: 'deferred', reason: 'deferred: busy' } })).toEqual({
      text: 'Put off',
      detail: 'It is busy and asked for more time.',
    });
    expect(eventWords({ state: 'sent', detail: { attempt: 2 } })).toEqual({ text: 'Sent', detail: 'Try 2.' });
    expect(eventWords({ state: 'rolled_back', detail: { reason: 'crash_loop', attempt: 2 } })).toEqual({
      text: 'Rolled back',
      detail: 'The new version crashed again and again, so it went back.',
    });
  });

  it('counts states as people think of them', () => {
    const counts = { queued: 3, sent: 1, downloading: 2, succeeded: 4, failed: 1, rolled_back: 1 };
    expect(countGroups(counts)).toEqual({ done: 4, working: 3, waiting: 3, failed: 2, cancelled: 0 });
    expect(totalOf(counts)).toBe(12);
    expect(statesOf('failed')).toEqual(['failed', 'rolled_back', 'timed_out', 'rejected']);
  });

  it('lists why devices are left out, most devices first', () => {
    expect(countedReasons({ retired: 1, same_version: 8, busy: 0 })).toEqual([
      { reason: 'same_version', devices: 8 },
      { reason: 'retired', devices: 1 },
    ]);
    expect(excludedWord('same_version')).toBe('Has it already');
  });

  it('shows sizes as a desk does', () => {
    expect([900, 1536, 16 * 1_048_576].map(fileSize)).toEqual(['900 bytes', '2 KB', '16.0 MB']);
  });
});
