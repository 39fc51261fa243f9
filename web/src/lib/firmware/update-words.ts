import type { OtaDeviceState } from '@edgeconductor/sdk';

/** What the states of one device's update mean to people, from the last step back to the first. */

export type Tone = 'ok' | 'warn' | 'bad' | 'info' | 'offline' | 'plain';

/** What a glance needs: who has it, who is at it, who waits, where something went wrong, who is out of it. */
export type UpdateGroup = 'done' | 'working' | 'waiting' | 'failed' | 'cancelled';

interface StateWords {
  word: string;
  group: UpdateGroup;
  help: string;
}

export const STATE_WORDS: Record<OtaDeviceState, StateWords> = {
  succeeded: { word: 'Updated', group: 'done', help: 'It restarted and reports the new version.' },
  rebooting: { word: 'Restarting', group: 'working', help: 'Installed; it restarts into the new version.' },
  installing: { word: 'Installing', group: 'working', help: 'Downloaded and checked; it writes the image.' },
  downloading: { word: 'Downloading', group: 'working', help: 'It fetches the image.' },
  sent: { word: 'Sent', group: 'working', help: 'It was told; its first answer is awaited.' },
  queued: { word: 'Waiting', group: 'waiting', help: 'Its turn comes, or it is told when it is back.' },
  failed: { word: 'Failed', group: 'failed', help: 'It gave up and keeps its old version.' },
  rolled_back: { word: 'Rolled back', group: 'failed', help: 'The new version did not run; it went back.' },
  timed_out: { word: 'No answer', group: 'failed', help: 'It went silent in the middle of the update.' },
  rejected: { word: 'Refused', group: 'failed', help: 'It refused this image.' },
  cancelled: { word: 'Cancelled', group: 'cancelled', help: 'It was never told, and will not be.' },
};

export const UPDATE_STATES = Object.keys(STATE_WORDS) as OtaDeviceState[];

export const GROUPS: Record<UpdateGroup, { word: string; tone: Tone }> = {
  done: { word: 'Updated', tone: 'ok' },
  working: { word: 'Updating', tone: 'info' },
  waiting: { word: 'Waiting', tone: 'plain' },
  failed: { word: 'Failed', tone: 'bad' },
  cancelled: { word: 'Cancelled', tone: 'offline' },
};
export const GROUP_ORDER = Object.keys(GROUPS) as UpdateGroup[];

export const statesOf = (group: UpdateGroup): OtaDeviceState[] =>
  UPDATE_STATES.filter((state) => STATE_WORDS[state].group === group);

export type StateCounts = Readonly<Partial<Record<OtaDeviceState, number>>>;

/** How many devices are in each group; groups without any are zero. */
export function countGroups(counts: StateCounts): Record<UpdateGroup, number> {
  const groups = { done: 0, working: 0, waiting: 0, failed: 0, cancelled: 0 };
  for (const state of UPDATE_STATES) groups[STATE_WORDS[state].group] += counts[state] ?? 0;
  return groups;
}

export const totalOf = (counts: StateCounts): number =>
  UPDATE_STATES.reduce((total, state) => total + (counts[state] ?? 0), 0);
