import type { OtaStageInput } from '@edgeconductor/sdk';
import { formatDuration } from '#lib/format/value.ts';

/** A stage as it was asked for or as it is answered; one of the three says how far it reaches. */
export interface StageShape {
  count?: number | undefined;
  /** Of the whole job, cumulative. */
  percent?: number | undefined;
  serials?: readonly string[] | undefined;
  soak_s?: number | undefined;
}

/** How a job goes through its devices: at once, or a canary first and then in growing shares. */
export type Pace = 'at_once' | 'careful';

const SHARES = [5, 25, 50, 100];

/** One in a hundred, one at least, ten at most: enough to see a crash, few enough to lose. */
export function usualCanary(devices: number): number {
  return Math.min(10, Math.max(1, Math.ceil(devices / 100)));
}

/**
 * The stages of the careful way for this many devices. Shares that would add nobody to those before are left out:
 * twelve devices have no 5 % step after a canary of one.
 */
export function carefulStages(devices: number, canary: number, soakS: number): OtaStageInput[] {
  const stages: OtaStageInput[] = [{ count: canary, soak_s: soakS }];
  let reached = canary;
  for (const percent of SHARES) {
    const next = Math.ceil((devices * percent) / 100);
    if (percent < 100 && next <= reached) continue;
    if (next > reached) stages.push({ percent, soak_s: percent === 100 ? 0 : soakS });
    reached = Math.max(reached, next);
  }
  return stages;
}

export function stagesFor(pace: Pace, devices: number, canary: number, soakS: number): OtaStageInput[] {
  return pace === 'at_once' ? [{ percent: 100 }] : carefulStages(devices, canary, soakS);
}

/** Devices of each stage, not cumulated. */
export function stageSizes(stages: readonly StageShape[], devices: number): number[] {
  let reached = 0;
  return stages.map((stage) => {
    const upTo = reachOf(stage, devices, reached);
    const size = Math.max(0, upTo - reached);
    reached = Math.max(reached, upTo);
    return size;
  });
}

function reachOf(stage: StageShape, devices: number, before: number): number {
  if (stage.percent !== undefined) return Math.ceil((devices * stage.percent) / 100);
  return Math.min(devices, before + (stage.count ?? stage.serials?.length ?? 0));
}

/** "Canary", "to 5 %", "Everybody else". */
export function stageName(stage: StageShape, index: number, stages: number): string {
  if (stages === 1) return 'All at once';
  if (index === 0 && stage.percent === undefined) return 'Canary';
  if (stage.percent === 100) return 'All others';
  if (stage.percent !== undefined) return `Up to ${stage.percent} %`;
  return `Stage ${index + 1}`;
}

/** "2 devices first, then up to 5, 25, 50 and 100 %, with 30 min between." */
export function paceSentence(stages: readonly StageShape[], devices: number): string {
  if (stages.length === 1) return 'All of them at once.';
  const [canary = 0] = stageSizes(stages, devices);
  const shares = stages.slice(1).map(({ percent }) => percent ?? 100);
  const soak = stages[0]?.soak_s ?? 0;
  const pause = soak > 0 ? `, each time after ${formatDuration(soak)} without trouble` : '';
  return `${canary === 1 ? '1 device' : `${canary} devices`} first, then up to ${listed(shares)} %${pause}.`;
}

function listed(numbers: readonly number[]): string {
  const last = numbers.at(-1);
  return numbers.length < 2 ? String(last) : `${numbers.slice(0, -1).join(', ')} and ${last}`;
}
