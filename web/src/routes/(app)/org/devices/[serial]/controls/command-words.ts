import type { Command } from '@edgeconductor/sdk';

export interface CommandWords {
  word: string;
  tone: 'ok' | 'warn' | 'bad' | 'info' | 'offline' | 'plain';
  /** What that means; empty when the word says it all. */
  detail: string;
}

const REASONS: Record<string, string> = {
  cancelled: 'It was taken back before anybody sent it.',
  handed_over: 'The device went to somebody else first.',
  retired: 'The device was retired first.',
  refused: 'The device refused it.',
  unknown_command: 'Its firmware does not know this command.',
};

/** How a command stands, for whoever sent it. */
export function commandWords({
  state,
  reason,
  sent_at,
}: Pick<Command, 'state' | 'reason' | 'sent_at'>): CommandWords {
  if (state === 'queued')
    return { word: 'Queued', tone: 'offline', detail: 'It is sent as soon as the device is there.' };
  if (state === 'sent') return { word: 'Sent', tone: 'info', detail: 'The device has not answered yet.' };
  if (state === 'acknowledged') return { word: 'Done', tone: 'ok', detail: '' };
  if (state === 'expired') {
    const detail = sent_at === null ? 'It never reached the device.' : 'The device did not answer in time.';
    return { word: 'Expired', tone: 'warn', detail };
  }
  if (reason === 'cancelled') return { word: 'Taken back', tone: 'plain', detail: REASONS['cancelled']! };
  return {
    word: 'Failed',
    tone: 'bad',
    detail: REASONS[reason ?? ''] ?? reason ?? 'The device gave no reason.',
  };
}
