import type { OtaJob } from '@edgeconductor/sdk';
import { countOf } from '#lib/format/value.ts';
import { stageName } from './stage-plan.ts';

type Job = Pick<OtaJob, 'abort_reason' | 'failure_pct' | 'counts' | 'stages'>;

/** Why a job stopped before its end, and what that means for its devices. */
export function abortWords(job: Job): { title: string; text: string } {
  const { cancelled = 0 } = job.counts;
  const spared =
    cancelled === 0
      ? 'Every device had been told by then.'
      : `${countOf(cancelled, 'device')} had not been told and ${cancelled === 1 ? 'was' : 'were'} left alone.`;
  const reason = job.abort_reason;
  const where = stageWords(job);
  if (reason?.kind === 'failure_threshold') {
    const share = reason.pct == null ? '' : `, ${Math.round(reason.pct)} % of those that were told`;
    return {
      title: 'It stopped by itself: too many failures',
      text: `${countOf(reason.failed ?? 0, 'device')}${where} went wrong${share}; the limit is ${job.failure_pct} %. ${spared}`,
    };
  }
  if (reason?.kind === 'no_success')
    return {
      title: 'It stopped by itself: nobody succeeded',
      text: `No device${where} got the version. ${spared}`,
    };
  return { title: reason?.by ? `Stopped by ${reason.by}` : 'It was stopped', text: spared };
}

function stageWords({ abort_reason: reason, stages }: Job): string {
  const stage = stages[reason?.stage ?? -1];
  if (!stage || stages.length < 2) return '';
  const name = stageName(stage, reason?.stage ?? 0, stages.length);
  return name === 'Canary' ? ' of the canary' : ` of stage ${(reason?.stage ?? 0) + 1}`;
}
