import type { OtaJob, OtaJobState, OtaWindow } from '@edgeconductor/sdk';
import { countOf, formatDuration } from '#lib/format/value.ts';
import { stageName, type StageShape } from './stage-plan.ts';
import { countGroups, type StateCounts, type Tone } from './update-words.ts';

export const JOB_STATES: Record<OtaJobState, { word: string; tone: Tone }> = {
  running: { word: 'Running', tone: 'info' },
  paused: { word: 'Paused', tone: 'warn' },
  scheduled: { word: 'Scheduled', tone: 'plain' },
  completed: { word: 'Finished', tone: 'ok' },
  aborted: { word: 'Stopped', tone: 'bad' },
};

type Job = Pick<
  OtaJob,
  'state' | 'stage' | 'stages' | 'soaking_since' | 'starts_at' | 'abort_reason' | 'counts' | 'targeted'
>;

/** How many of its devices have the version: "37 of 50". */
export function doneOf(counts: StateCounts, targeted: number): string {
  const number = new Intl.NumberFormat('en');
  return `${number.format(countGroups(counts).done)} of ${number.format(targeted)}`;
}

/** Milliseconds until the next stage may begin; null while the present one does not soak. */
export function soakLeft(
  job: Pick<Job, 'state' | 'stage' | 'stages' | 'soaking_since'>,
  now: number,
): number | null {
  const stage = job.stages[job.stage];
  if (!job.soaking_since || !stage || job.state !== 'running') return null;
  return Math.max(0, Date.parse(job.soaking_since) + stage.soak_s * 1000 - now);
}

/** What the job is doing now and what comes next, in one sentence; null when it has ended. */
export function nowWords(job: Job, now: number): string | null {
  if (job.state === 'completed' || job.state === 'aborted') return null;
  if (job.state === 'scheduled') return 'It waits for its start.';
  if (job.state === 'paused')
    return 'Nobody else is told until it goes on. What was under way goes on by itself.';
  if (job.stages.length < 2) return everybodyWords(job);
  const present = stageAt(job, job.stage);
  const next = job.stage + 1 < job.stages.length ? stageAt(job, job.stage + 1) : null;
  const left = soakLeft(job, now);
  if (left !== null && next)
    return left > 0
      ? `${upper(present)} is done and watched for another ${formatDuration(Math.ceil(left / 1000))}. Then ${next}.`
      : `${upper(present)} is done. Within half a minute: ${next}.`;
  const { counts = {}, devices = 0 } = job.stages[job.stage] ?? {};
  if (devices > 0 && counts.queued === devices) return `Nobody of ${present} could be told yet.`;
  return next ? `Now ${present}. Then ${next}.` : `Now ${present}.`;
}

function everybodyWords({ counts }: Pick<Job, 'counts'>): string | null {
  const { working, waiting } = countGroups(counts);
  if (working > 0) return waiting > 0 ? `${waiting} more wait for their turn, or until they are back.` : null;
  return waiting > 0 ? 'The rest are told when they are back, or when their hour comes.' : null;
}

/** "the canary (2 devices)", "stage 2 (3 devices)", "the other 15 devices". */
function stageAt(job: Pick<Job, 'stages'>, index: number): string {
  const stage = job.stages[index];
  if (!stage) return 'the next stage';
  const devices = countOf(stage.devices, 'device');
  const name = stageName(stage, index, job.stages.length);
  if (name === 'Canary') return `the canary (${devices})`;
  return name === 'All others' ? `the other ${devices}` : `stage ${index + 1} (${devices})`;
}

const lower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
const upper = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Whether the stage is past, the present one, or yet to come. */
export function stagePlace(job: Pick<Job, 'state' | 'stage'>, index: number): 'past' | 'now' | 'next' {
  if (job.state === 'completed' || index < job.stage) return 'past';
  return index === job.stage && job.state !== 'scheduled' ? 'now' : 'next';
}

const DAYS: Record<string, string> = {
  mon: 'Mon',
  tue: 'Tue',
  wed: 'Wed',
  thu: 'Thu',
  fri: 'Fri',
  sat: 'Sat',
  sun: 'Sun',
};

/** "22:00 to 05:00, Mon, Tue, in each device’s own time". */
export function windowWords(window: OtaWindow): string {
  const days =
    window.days && window.days.length < 7 ? `, ${window.days.map((day) => DAYS[day]).join(', ')}` : '';
  return `${window.start} to ${window.end}${days}, in each device’s own time`;
}

/** Stages as one line: "Canary, up to 5 %, all others". */
export function stagesLine(stages: readonly StageShape[]): string {
  const names = stages.map((stage, i) => stageName(stage, i, stages.length));
  return names.map((name, i) => (i === 0 ? name : lower(name))).join(', ');
}
