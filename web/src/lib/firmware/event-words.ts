import type { OtaEvent } from '@edgeconductor/sdk';
import { reasonWords } from './reason-words.ts';
import { STATE_WORDS } from './update-words.ts';

type Dict = Readonly<Record<string, unknown>>;

const EVENTS: Readonly<Record<string, string>> = {
  resent: 'Told again',
  url_refreshed: 'Got a fresh link',
  deferred: 'Put off',
};

/** A line of one device's log: what happened, and what it or the platform said about it. */
export function eventWords({ state, detail }: Pick<OtaEvent, 'state' | 'detail'>): {
  text: string;
  detail: string;
} {
  const facts = isDict(detail) ? detail : {};
  const named = EVENTS[String(facts['event'])];
  const percent = typeof facts['percent'] === 'number' ? ` ${facts['percent']} %` : '';
  const text = named ?? STATE_WORDS[state].word + (state === 'downloading' ? percent : '');
  const reason = typeof facts['reason'] === 'string' ? reasonWords(facts['reason']) : '';
  const attempt = Number(facts['attempt']) > 1 ? `Try ${String(facts['attempt'])}.` : '';
  return {
    text,
    detail: [reason, state === 'queued' || state === 'sent' ? attempt : ''].filter(Boolean).join(' '),
  };
}

const isDict = (value: unknown): value is Dict =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
