import { seedOf, unit } from './random.ts';

/** What goes wrong on purpose. Probabilities are per packet, 0…1; all absent means a perfect device. */
export interface Faults {
  /** The packet is never sent. */
  drop?: number;
  /** The same packet is sent twice. */
  duplicate?: number;
  /** The packet is sent after the next one. */
  reorder?: number;
  /** Something that is no packet is sent instead. */
  garble?: number;
  /** The device's clock is off by so many ms; every packet then carries its own (wrong) time. */
  skewMs?: number;
  /** Unreachable for `forS` out of every `everyS` seconds; readings wait and come later as a batch. */
  offline?: { everyS: number; forS: number };
  /** Hears everything and does nothing about it: desired stays pending, commands stay without an answer. */
  silent?: boolean;
  /** Does nothing it is told, and says so. */
  refuses?: boolean;
  /** The connection breaks every so many seconds on average. */
  flapEveryS?: number;
  /** What it downloads arrives with a wrong bit. */
  corruptDownload?: boolean;
  /** New images crash on this board, whatever is in them. */
  badImage?: boolean;
  /** The power goes once in the middle of each installation. */
  powerCutMidInstall?: boolean;
  /** Busy when an update comes: asks for it again after so many seconds. */
  defersS?: number;
}

/** What happens to one packet. `late` packets carry their own time, or the swap could not be seen. */
export type Fate = 'send' | 'drop' | 'duplicate' | 'late' | 'garble';

/** Decides by serial and a running number, so a run with the same faults can be repeated. */
export class FaultPlan {
  readonly #faults: Faults;
  readonly #seed: number;
  #packets = 0;
  readonly #cut = new Set<string>();

  constructor(faults: Faults, serial: string) {
    this.#faults = faults;
    this.#seed = seedOf(`${serial}/faults`);
  }

  get skewMs(): number {
    return this.#faults.skewMs ?? 0;
  }

  get silent(): boolean {
    return this.#faults.silent === true;
  }

  get refuses(): boolean {
    return this.#faults.refuses === true;
  }

  /** Desired documents change nothing. */
  get deaf(): boolean {
    return this.silent || this.refuses;
  }

  get corruptDownload(): boolean {
    return this.#faults.corruptDownload === true;
  }

  get badImage(): boolean {
    return this.#faults.badImage === true;
  }

  get defersS(): number {
    return this.#faults.defersS ?? 0;
  }

  /** Whether the power goes now, in the middle of this installation; the second try goes through. */
  powerCut(installation: string): boolean {
    if (this.#faults.powerCutMidInstall !== true || this.#cut.has(installation)) return false;
    this.#cut.add(installation);
    return true;
  }

  nextFate(): Fate {
    const { drop = 0, duplicate = 0, reorder = 0, garble = 0 } = this.#faults;
    const x = unit(this.#seed, this.#packets++);
    if (x < drop) return 'drop';
    if (x < drop + duplicate) return 'duplicate';
    if (x < drop + duplicate + reorder) return 'late';
    return x < drop + duplicate + reorder + garble ? 'garble' : 'send';
  }

  /** Whether the device is out of reach at a moment. Devices take turns: each has a phase of its own. */
  isOffline(at: number): boolean {
    const plan = this.#faults.offline;
    if (!plan) return false;
    const phase = unit(this.#seed, 1, 1) * plan.everyS;
    return (at / 1_000 + phase) % plan.everyS < plan.forS;
  }

  /** Whether the connection breaks during a step of `stepS` seconds that ends at `at`. */
  breaks(at: number, stepS: number): boolean {
    const every = this.#faults.flapEveryS;
    return every !== undefined && unit(this.#seed, Math.floor(at / 1_000), 2) < stepS / every;
  }

  /** The kinds of rubbish seen from real boards: cut off, wrong types, names nobody may use, wild clocks. */
  rubbish(at: number): string {
    const kinds = [
      '{"temp":21.4,"hum":4',
      '{"temp 1":21.4,"hum":48}',
      `{"temp":21.4,"ts":${at + 86_400_000}}`,
      '[21.4,48,612]',
      `{"log":"${'E (4711) i2c: timeout '.repeat(420)}"}`,
      'NaN',
    ];
    return kinds[Math.floor(unit(this.#seed, this.#packets, 3) * kinds.length)]!;
  }
}
