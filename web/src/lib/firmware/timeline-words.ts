import type { OtaTimelineEntry } from '@edgeconductor/sdk';

type Dict = Readonly<Record<string, unknown>>;

/** An entry of a job's timeline as a sentence without a full stop, and whose doing it was. */
export interface TimelineWords {
  text: string;
  tone: 'plain' | 'ok' | 'bad' | 'warn';
}

const PLAIN: Readonly<Record<string, TimelineWords>> = {
  created: { text: 'Made', tone: 'plain' },
  scheduled: { text: 'Scheduled', tone: 'plain' },
  started: { text: 'Started', tone: 'plain' },
  paused: { text: 'Paused', tone: 'warn' },
  resumed: { text: 'Went on', tone: 'plain' },
  aborted: { text: 'Stopped', tone: 'bad' },
  completed: { text: 'Finished', tone: 'ok' },
};

export function timelineWords({ event, detail }: Pick<OtaTimelineEntry, 'event' | 'detail'>): TimelineWords {
  const facts = isDict(detail) ? detail : {};
  const by = typeof facts['by'] === 'string' ? ` by ${facts['by']}` : '';
  if (event === 'aborted' && facts['reason'] === 'failure_threshold')
    return { text: 'Stopped by itself: too many failures', tone: 'bad' };
  if (event === 'stage' || event === 'stage_started')
    return { text: `Stage ${number(facts['stage']) + 1} began`, tone: 'plain' };
  if (event === 'soaking' || event === 'soak_started')
    return { text: `Stage ${number(facts['stage']) + 1} is done and watched`, tone: 'ok' };
  if (event === 'retried') return { text: `Tried again for ${number(facts['devices'])}${by}`, tone: 'plain' };
  const known = PLAIN[event];
  return known ? { ...known, text: known.text + by } : { text: readable(event) + by, tone: 'plain' };
}

const number = (value: unknown): number => (typeof value === 'number' ? value : 0);
const isDict = (value: unknown): value is Dict =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function readable(event: string): string {
  const words = event.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
