import type { FilterFields, Firmware, OtaJobInput, OtaTarget } from '@edgeconductor/sdk';
import { carefulStages, usualCanary, type Pace } from '#lib/firmware/stage-plan.ts';

export type Who = 'serials' | 'type' | 'saved' | 'filter';
type Days = NonNullable<NonNullable<OtaJobInput['window']>['days']>;

const ALL_DAYS: Days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** A job while somebody prepares it: what is asked for, and the body it becomes. */
export class JobDraft {
  firmware = $state.raw<Firmware | null>(null);
  who = $state<Who>('type');
  serials = $state.raw<readonly string[]>([]);
  savedId = $state('');
  filter = $state.raw<FilterFields>({});

  pace = $state<Pace>('careful');
  /** Null: as many as are usual for so many devices. */
  canary = $state<number | null>(null);
  soakMinutes = $state(30);
  failurePct = $state(20);
  force = $state(false);

  windowed = $state(false);
  start = $state('22:00');
  end = $state('05:00');
  days = $state<Days>([...ALL_DAYS]);
  /** Of a datetime-local field, in the reader's own zone; '' = at once. */
  startsAt = $state('');
  name = $state('');

  /** Devices the last preview found; the shares of the stages come from it. */
  targeted = $state(0);

  constructor(target: OtaTarget | null) {
    if (!target) return;
    if ('serials' in target) this.serials = target.serials;
    if ('filter_id' in target) this.savedId = target.filter_id;
    if ('filter' in target) this.filter = target.filter;
    this.who =
      'serials' in target
        ? 'serials'
        : 'filter_id' in target
          ? 'saved'
          : 'filter' in target
            ? 'filter'
            : 'type';
  }

  /** Null while nobody is chosen. */
  get target(): OtaTarget | null {
    if (this.who === 'serials') return this.serials.length > 0 ? { serials: [...this.serials] } : null;
    if (this.who === 'saved') return this.savedId ? { filter_id: this.savedId } : null;
    if (this.who === 'type') return this.firmware ? { product_type: this.firmware.product_type } : null;
    return Object.keys(this.filter).length > 0 ? { filter: this.filter } : null;
  }

  get canaryCount(): number {
    return Math.min(this.canary ?? usualCanary(this.targeted), Math.max(1, this.targeted));
  }

  get stages(): NonNullable<OtaJobInput['stages']> {
    if (this.pace === 'at_once' || this.targeted < 2) return [{ percent: 100 }];
    return carefulStages(this.targeted, this.canaryCount, this.soakMinutes * 60);
  }

  /** What the preview needs to know: who, and in which stages. */
  get question(): OtaJobInput | null {
    const { firmware, target } = this;
    if (!firmware || !target) return null;
    return { firmware_id: firmware.id, target, stages: this.stages, force: this.force };
  }

  /** The whole job; null while something is missing. */
  get input(): OtaJobInput | null {
    const { question } = this;
    if (!question || (this.windowed && (this.start === this.end || this.days.length === 0))) return null;
    const name = this.name.trim();
    return {
      ...question,
      failure_pct: this.failurePct,
      ...(name && { name }),
      ...(this.windowed && { window: this.#window }),
      ...(this.startsAt && { starts_at: new Date(this.startsAt).toISOString() }),
    };
  }

  /** Whether its start has passed while it was prepared; it would begin at once. */
  startsInPast(now: number): boolean {
    return this.startsAt !== '' && new Date(this.startsAt).getTime() <= now;
  }

  get #window(): NonNullable<OtaJobInput['window']> {
    const days = ALL_DAYS.filter((day) => this.days.includes(day));
    return { start: this.start, end: this.end, ...(days.length < ALL_DAYS.length && { days }) };
  }
}
