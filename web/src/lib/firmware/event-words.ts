import type { OtaEvent } from '@edgeconductor/sdk';
import { reasonWords } from './reason-words.ts';
import { STATE_WORDS } from './update-words.ts';

type Dict = Readonly<Record<string, unknown>>;

/** A line of one device's log: what happened, and what it or the platform said about it. */
export function eventWords({ state, detail }: Pick<OtaEvent, 'state' | 'detail'>): {
  text: string;
  detail: string;
} {
  const facts = isDict(detail) ? detail : {};
  const percent = typeof facts['percent'] === 'number' ? ` ${facts['percent']} %` : '';
  const version = typeof facts['version'] === 'string' ? `Reports ${facts['version']}.` : '';
  const reason = typeof facts['reason'] === 'string' ? reasonWords(facts['reason']) : '';
  const attempt =
    Number(facts['attempt']) > 1 && state === 'queued' ? `Try ${String(facts['attempt'])}.` : '';
  return {
    text: STATE_WORDS[state].word + (state === 'downloading' ? percent : ''),
    detail: [reason, version, attempt].filter(Boolean).join(' '),
  };
}

const isDict = (value: unknown): value is Dict =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
