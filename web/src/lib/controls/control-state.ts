import { shadowDelta } from '@edgeconductor/sdk/contract';
import type { ValueAt } from '#lib/state/device-snapshot.svelte.ts';

/** What somebody at this screen did and the platform has not taken yet, or has refused. Times in epoch ms. */
export interface Wish {
  /** undefined: nobody should ask for the key any more. */
  value: unknown;
  state: 'typing' | 'sending' | 'refused';
}

export interface ControlFacts {
  key: string;
  wish: Wish | undefined;
  /** undefined: nobody asks for it. */
  want: unknown;
  /** What the device says. */
  have: ValueAt | undefined;
  /** When this screen heard of the wish, or it was sent once more. */
  askedAt: number | null;
  /** The device listens. */
  there: boolean;
  /** When it came back, as far as this screen saw that. */
  backAt: number | null;
  /** How long a device that is there may take. */
  patienceMs: number;
}

export type ControlPhase =
  | 'unset' // nobody asks for it: the device decides
  | 'in_step'
  | 'sending'
  | 'pending' // the device has not confirmed yet
  | 'waiting' // it is away, and does it when it is back
  | 'late' // it is there and did not confirm in time
  | 'refused'; // the platform did not take it

export interface ControlState {
  phase: ControlPhase;
  /** What the control stands on. */
  shown: unknown;
  /** When the device last said what is asked of it, or anything at all. */
  reportedAt: number | null;
}

/**
 * Where a control stands. It shows at once what somebody asked for, and goes on showing it while the device may still
 * do it: nothing jumps under the finger. When a device that is there does not confirm in time, the control falls back
 * to what the device reports, because that is the truth; the wish itself stays (a slow device may still follow, and
 * then the control moves there), and the person decides whether it is sent once more or given up.
 */
export function controlState(facts: ControlFacts, now: number): ControlState {
  const { wish, want, have } = facts;
  const reportedAt = have?.at ?? null;
  const state = (phase: ControlPhase, shown: unknown): ControlState => ({ phase, shown, reportedAt });
  if (wish?.state === 'refused') return state('refused', want ?? have?.value);
  if (wish) return state('sending', wish.value ?? have?.value);
  if (want === undefined) return state('unset', have?.value);
  if (isDone(facts)) return state('in_step', want);
  if (!facts.there) return state('waiting', want);
  const since = Math.max(facts.askedAt ?? 0, facts.backAt ?? 0);
  if (now - since < facts.patienceMs) return state('pending', want);
  return state('late', have === undefined ? want : have.value);
}

function isDone({ key, want, have }: ControlFacts): boolean {
  return have !== undefined && Object.keys(shadowDelta({ [key]: want }, { [key]: have.value })).length === 0;
}

const PATIENCE_MS = 10_000;

/** A device on MQTT hears at once; one that asks over HTTPS may sleep through its interval, twice when a try fails. */
export function patienceFor(door: 'mqtt' | 'https' | null, intervalS: number): number {
  return door === 'https' ? PATIENCE_MS + 2 * intervalS * 1000 : PATIENCE_MS;
}
