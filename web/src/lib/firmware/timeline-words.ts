import type { OtaTimelineEntry } from '@edgeconductor/sdk';
import { countOf, formatDuration } from '#lib/format/value.ts';

type Dict = Readonly<Record<string, unknown>>;

/** An entry of a job's timeline as a sentence without a full stop. */
export interface TimelineWords {
  text: string;
  tone: 'plain' | 'ok' | 'bad' | 'warn';
}

type Entry = (facts: Dict) => TimelineWords;

const ENTRIES: Readonly<Record<string, Entry>> = {
  created: (facts) => plain(`Made${by(facts)}`),
  started: () => plain('Started'),
  stage_released: (facts) =>
    plain(`${stage(facts)} began with ${countOf(number(facts['devices']), 'device')}`),
  soaking: (facts) => ({
    text: `${stage(facts)} is done and watched for ${formatDuration(number(facts['soak_s']))}`,
    tone: 'ok',
  }),
  paused: (facts) => ({ text: `Paused${by(facts)}`, tone: 'warn' }),
  resumed: (facts) => plain(`Went on${by(facts)}`),
  retried: (facts) => plain(`${countOf(number(facts['devices']), 'device')} tried again${by(facts)}`),
  aborted: (facts) => ({ text: abortText(facts), tone: 'bad' }),
  completed: (facts) => ({
    text: `Finished: ${number(facts['succeeded'])} of ${countOf(number(facts['devices']), 'device')} updated`,
    tone: 'ok',
  }),
};

/** Events nobody wrote words for yet read as they are called. */
export function timelineWords({ event, detail }: Pick<OtaTimelineEntry, 'event' | 'detail'>): TimelineWords {
  const facts = isDict(detail) ? detail : {};
  return ENTRIES[event]?.(facts) ?? plain(readable(event) + by(facts));
}

function abortText(facts: Dict): string {
  if (facts['kind'] === 'failure_threshold') return 'Stopped by itself: too many failures';
  if (facts['kind'] === 'no_success') return 'Stopped by itself: nobody succeeded';
  return `Stopped${by(facts)}`;
}

const plain = (text: string): TimelineWords => ({ text, tone: 'plain' });
const by = (facts: Dict): string => (typeof facts['by'] === 'string' ? ` by ${facts['by']}` : '');
const stage = (facts: Dict): string => `Stage ${number(facts['stage']) + 1}`;
const number = (value: unknown): number => (typeof value === 'number' ? value : 0);
const isDict = (value: unknown): value is Dict =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function readable(event: string): string {
  const words = event.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
