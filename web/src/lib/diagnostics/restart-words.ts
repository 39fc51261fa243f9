/** Why a device started, in words; codes nobody knows are shown as they are. */
export interface RestartWord {
  word: string;
  level: 'ok' | 'warn' | 'bad';
}

const WORDS: Record<string, RestartWord> = {
  POWERON: { word: 'Power was switched on', level: 'ok' },
  SW: { word: 'Restarted by software', level: 'ok' },
  EXT: { word: 'Reset button or pin', level: 'ok' },
  DEEPSLEEP: { word: 'Woke from deep sleep', level: 'ok' },
  PANIC: { word: 'Crashed', level: 'bad' },
  WDT: { word: 'Hung, restarted by its watchdog', level: 'bad' },
  BROWNOUT: { word: 'Supply voltage too low', level: 'warn' },
};

export function restartWord(reason: string | null): RestartWord {
  if (reason === null) return { word: 'The device did not say why', level: 'ok' };
  const code = /WDT/.test(reason) ? 'WDT' : reason;
  return WORDS[code] ?? { word: reason, level: 'ok' };
}
