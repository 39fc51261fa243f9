import { DAY } from '../local-time.ts';
import { clamp, noise, round, unit } from '../random.ts';

/** What every board says about itself: battery, radio, memory, restarts. All pure in (seed, moment). */

/** Typical single-cell LiPo at rest, volts at 0, 10 … 100 % charge. The page's range is 3.3 to 4.2 V. */
const LIPO = [3.3, 3.58, 3.67, 3.72, 3.76, 3.8, 3.86, 3.93, 4.01, 4.1, 4.2] as const;

export function lipoVolts(charge: number): number {
  const x = clamp(charge, 0, 1) * (LIPO.length - 1);
  const left = Math.min(Math.floor(x), LIPO.length - 2);
  return LIPO[left]! + (LIPO[left + 1]! - LIPO[left]!) * (x - left);
}

/** mains: buffered by a cell that stays full. cell: runs down over weeks and is swapped. weak: due for a swap. */
export type Supply = 'mains' | 'cell' | 'weak';

export function batteryVolts(supply: Supply, seed: number, at: number): number {
  const wobble = noise(seed + 11, at / 900_000) * 0.006;
  if (supply === 'mains') return round(4.12 + noise(seed + 12, at / DAY) * 0.03 + wobble, 2);
  if (supply === 'weak') return round(3.44 + noise(seed + 13, at / (DAY / 2)) * 0.025 + wobble, 2);
  const life = (24 + unit(seed, 14) * 16) * DAY;
  const used = (at / life + unit(seed, 15)) % 1;
  return round(lipoVolts(0.97 - 0.8 * used) + wobble, 2);
}

/** WiFi RSSI in dBm: the distance to the access point, slow fading, and bodies in the way. */
export function wifiSignal(seed: number, at: number, people: number): number {
  const distance = -50 - unit(seed, 21) * 22;
  const fading = noise(seed + 22, at / 600_000) * 2.5 + noise(seed + 23, at / 25_000) * 1.5;
  return Math.round(clamp(distance + fading - Math.min(people, 10) * 0.35, -92, -38));
}

/** GSM signal quality 0…31 as AT+CSQ tells it; `place` moves with the vehicle (any number, about 1 per km). */
export function gsmQuality(seed: number, at: number, place: number): number {
  return Math.round(
    clamp(17 + noise(seed + 31, place) * 8 + noise(seed + 32, place * 3.1 + at / 300_000) * 3, 2, 31),
  );
}

/** dBm of a CSQ value (3GPP TS 27.007, 8.5). */
export function csqToDbm(csq: number): number {
  return -113 + 2 * csq;
}

export const REBOOT_REASONS = ['POWERON', 'SW', 'PANIC', 'WDT', 'BROWNOUT', 'EXT'] as const;
export type RebootReason = (typeof REBOOT_REASONS)[number];

const SPELL = 4 * DAY;
const LONGEST_SPELLS = 12;

/** The last restart before a moment: in six of ten four-day spells a board restarts once, for some reason. */
export function lastReboot(seed: number, at: number): { at: number; reason: RebootReason } {
  const current = Math.floor(at / SPELL);
  for (let spell = current; spell > current - LONGEST_SPELLS; spell--) {
    if (unit(seed, spell, 41) > 0.6) continue;
    const moment = Math.floor((spell + unit(seed, spell, 42)) * SPELL);
    if (moment <= at) return { at: moment, reason: rebootReason(unit(seed, spell, 43)) };
  }
  return { at: (current - LONGEST_SPELLS) * SPELL, reason: 'POWERON' };
}

function rebootReason(x: number): RebootReason {
  if (x < 0.42) return 'POWERON';
  if (x < 0.8) return 'SW';
  if (x < 0.87) return 'WDT';
  if (x < 0.92) return 'PANIC';
  return x < 0.97 ? 'BROWNOUT' : 'EXT';
}

/** Free heap in bytes; `leak` is what the firmware loses per hour of uptime. */
export function heapFree(seed: number, at: number, uptimeS: number, leak: number): number {
  const base = 181_000 + unit(seed, 51) * 9_000;
  const busy = noise(seed + 52, at / 40_000) * 1_400 + noise(seed + 53, at / 5_000) * 500;
  return Math.max(24_000, Math.round((base + busy - (leak * uptimeS) / 3_600) / 16) * 16);
}
