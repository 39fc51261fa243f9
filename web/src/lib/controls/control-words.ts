import { formatValue } from '#lib/format/value.ts';
import type { Refusal } from '#lib/state/device-control.svelte.ts';
import type { Control } from './control-list.ts';
import type { ControlPhase, ControlState } from './control-state.ts';

export type ControlTone = 'ok' | 'busy' | 'away' | 'bad' | 'quiet';

export interface ControlWords {
  tone: ControlTone;
  /** What a badge says. */
  word: string;
  /** What it means and what to do; empty when the word says it all. */
  detail: string;
}

type Described = Pick<Control, 'kind' | 'unit' | 'decimals' | 'options' | 'on' | 'off'>;

/** A value of a control as people read it: "On", "21.5 °C", "Eco". */
export function valueWords(control: Described, value: unknown): string {
  if (value === undefined || value === null) return '–';
  const option = control.options.find((one) => one.value === value);
  if (option) return option.label;
  if (typeof value === 'boolean') return value ? control.on : control.off;
  if (typeof value === 'object') return JSON.stringify(value);
  if (typeof value === 'string') return value === '' ? 'nothing' : `“${value}”`;
  const { text, unit } = formatValue(value, control);
  return unit ? `${text} ${unit}` : text;
}

/** A whole object would drown the sentence; it stands in the table below. */
const contrast = (control: Described, asked: unknown) =>
  typeof asked === 'object' ? 'The device' : `${valueWords(control, asked)} was asked for; the device`;

/** For whoever runs the fleet. */
export function staffWords(
  control: Described,
  state: ControlState,
  asked: unknown,
  reported: unknown,
  refusal: Refusal | null,
  patienceMs: number,
): ControlWords {
  const still =
    reported === undefined ? 'has never reported it' : `still reports ${valueWords(control, reported)}`;
  const words: Record<ControlPhase, ControlWords> = {
    unset: { tone: 'quiet', word: 'Nobody has set it', detail: '' },
    in_step: { tone: 'ok', word: 'In step', detail: '' },
    sending: { tone: 'busy', word: 'Sending', detail: '' },
    pending: { tone: 'busy', word: 'Waiting for the device', detail: '' },
    waiting: {
      tone: 'away',
      word: 'Applies when it reconnects',
      detail: `The device is not connected and ${still}.`,
    },
    late: {
      tone: 'bad',
      word: `Not confirmed within ${Math.round(patienceMs / 1000)} s`,
      detail: `${contrast(control, asked)} is online but ${still}. It may be busy, or its firmware does not know this key.`,
    },
    refused: { tone: 'bad', ...refusedWords(control, refusal) },
  };
  return words[state.phase];
}

/** What the page cannot know while the browser has no network. */
export const UNKNOWN_OFFLINE: ControlWords = {
  tone: 'away',
  word: 'Not known while you are offline',
  detail: '',
};

/** For whoever just lives with the device. */
export function plainWords(
  control: Described,
  state: ControlState,
  asked: unknown,
  reported: unknown,
  refusal: Refusal | null,
): ControlWords {
  const stands = reported === undefined ? '' : ` It still stands on ${valueWords(control, reported)}.`;
  const words: Record<ControlPhase, ControlWords> = {
    unset: { tone: 'quiet', word: 'Set on the device itself', detail: '' },
    in_step: { tone: 'ok', word: 'The device has it', detail: '' },
    sending: { tone: 'busy', word: 'Sending', detail: '' },
    pending: { tone: 'busy', word: 'The device is doing it', detail: '' },
    waiting: { tone: 'away', word: 'Your device is offline', detail: 'It does this as soon as it is back.' },
    late: {
      tone: 'bad',
      word: 'The device did not answer',
      detail: `You asked for ${valueWords(control, asked)}.${stands} Make sure it has power and a connection.`,
    },
    refused: { tone: 'bad', ...refusedWords(control, refusal) },
  };
  return words[state.phase];
}

function refusedWords(control: Described, refusal: Refusal | null): { word: string; detail: string } {
  if (refusal?.theirs) {
    const now = refusal.value === undefined ? 'not set at all' : valueWords(control, refusal.value);
    return {
      word: 'Somebody else changed it',
      detail: `In the meantime it became ${now}. Nothing of yours was sent.`,
    };
  }
  const problem = refusal?.problem;
  if (problem?.code === 'unreachable')
    return {
      word: 'Not sent',
      detail: 'There was no answer from EdgeConductor. Check your connection and try again.',
    };
  return { word: 'Not taken', detail: problem?.detail ?? problem?.title ?? '' };
}
