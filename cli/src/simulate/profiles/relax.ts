import { DAY, MINUTE } from '../local-time.ts';

/**
 * A first-order process (dv/dt = rate · (target − v)) whose target and rate hold still for five minutes at a
 * time: CO₂ under ventilation, the air of a heated room. Each slot has the closed solution
 * v(t) = target + (v₀ − target)·e^(−rate·t), so any moment is one exponential away and needs no stepping.
 *
 * A day is solved from a run-up of earlier days. What the run-up has not yet forgotten of its arbitrary start
 * (e^(−24·rate) a day) must be below the sensor's resolution: then two neighbouring days meet without a step
 * although each is computed alone.
 */
export const SLOT = 5 * MINUTE;
const SLOTS = DAY / SLOT;

export interface Drive {
  /** Where the value is heading in this slot. */
  target: number;
  /** Per hour. */
  rate: number;
}

interface Day {
  start: Float64Array;
  target: Float64Array;
  rate: Float64Array;
}

export class Relaxation {
  readonly #drive: (slotStart: number) => Drive;
  readonly #initial: number;
  readonly #runUpDays: number;
  /** The two days last asked for: history is written forwards and live stays at the end. */
  readonly #days = new Map<number, Day>();

  constructor(initial: number, drive: (slotStart: number) => Drive, runUpDays = 1) {
    this.#initial = initial;
    this.#drive = drive;
    this.#runUpDays = runUpDays;
  }

  at(moment: number): number {
    const index = Math.floor(moment / DAY);
    let day = this.#days.get(index);
    if (!day) {
      if (this.#days.size > 1) this.#days.delete(this.#days.keys().next().value!);
      this.#days.set(index, (day = this.#solve(index)));
    }
    const inDay = moment - index * DAY;
    const slot = Math.floor(inDay / SLOT);
    return decay(day.start[slot]!, day.target[slot]!, day.rate[slot]!, inDay - slot * SLOT);
  }

  #solve(index: number): Day {
    const day: Day = {
      start: new Float64Array(SLOTS),
      target: new Float64Array(SLOTS),
      rate: new Float64Array(SLOTS),
    };
    let value = this.#initial;
    for (let slot = -SLOTS * this.#runUpDays; slot < SLOTS; slot++) {
      const { target, rate } = this.#drive(index * DAY + slot * SLOT);
      if (slot >= 0) {
        day.start[slot] = value;
        day.target[slot] = target;
        day.rate[slot] = rate;
      }
      value = decay(value, target, rate, SLOT);
    }
    return day;
  }
}

/** The value after `ms` on the way from `from` to `target` at `rate` per hour. */
export function decay(from: number, target: number, rate: number, ms: number): number {
  return target + (from - target) * Math.exp((-rate * ms) / 3_600_000);
}
