/** Health readings in words. Battery: LiPo cell, 3.3 V empty, 4.2 V full (DIA). */

export interface Verdict {
  word: string;
  level: 'ok' | 'warn' | 'bad';
}

const EMPTY_V = 3.3;
const FULL_V = 4.2;
/** Below this the platform always alerts (ANO). */
const ALERT_V = 3.5;

export function battery(volts: unknown): (Verdict & { percent: number }) | null {
  if (typeof volts !== 'number') return null;
  const percent = Math.round(Math.min(1, Math.max(0, (volts - EMPTY_V) / (FULL_V - EMPTY_V))) * 100);
  if (volts < ALERT_V) return { percent, word: 'Nearly empty', level: 'bad' };
  if (percent < 40) return { percent, word: 'Getting low', level: 'warn' };
  return { percent, word: 'Good', level: 'ok' };
}

/** Wi-Fi RSSI or GSM signal in dBm. */
export function signal(dbm: unknown): Verdict | null {
  if (typeof dbm !== 'number') return null;
  if (dbm >= -67) return { word: 'Strong', level: 'ok' };
  if (dbm >= -80) return { word: 'Fair', level: 'ok' };
  if (dbm >= -95) return { word: 'Weak', level: 'warn' };
  return { word: 'Very weak', level: 'bad' };
}

const REBOOTS: Record<string, Verdict> = {
  POWERON: { word: 'Power was switched on', level: 'ok' },
  SW: { word: 'Restarted by software', level: 'ok' },
  EXT: { word: 'Reset button or pin', level: 'ok' },
  PANIC: { word: 'Crashed', level: 'bad' },
  WDT: { word: 'Hung, restarted by its watchdog', level: 'bad' },
  BROWNOUT: { word: 'Supply voltage too low', level: 'warn' },
};

export function rebootReason(code: unknown): Verdict | null {
  if (typeof code !== 'string') return null;
  return REBOOTS[code] ?? { word: code, level: 'ok' };
}
