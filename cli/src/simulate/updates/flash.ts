import { Arrival } from './download.ts';
import type { Slot } from './image.ts';
import type { UpdateOrder, UpdateReport } from './order.ts';

/** What a board keeps when its power goes: two slots, the update it is in the middle of, and what came of earlier ones. */
export interface FlashContent {
  slots: [Slot, Slot | null];
  /** Which slot it boots. */
  active: 0 | 1;
  /** The other slot has an image that must prove itself, and was booted so often already. */
  trial: { job_id: string; attempt: number; boots: number } | null;
  order: UpdateOrder | null;
  /** The newest attempt of each job, and its end: the last report, or null when it is installed. */
  ends: Record<string, { attempt: number; report: UpdateReport | null }>;
  /** `job_id/attempt` of what was put off once. */
  deferred: string[];
  /** Said, and not heard yet. */
  unheard: UpdateReport[];
}

const REMEMBERED = 32;

export class Flash {
  readonly content: FlashContent;
  /** The image of `order`; not part of the content, so it is lost where only that is kept. */
  image: Arrival | null = null;
  readonly #keep: (content: FlashContent) => void;

  /** `keep` is called after every change, with what `content` should be when the device is made again. */
  constructor(
    version: string,
    content?: FlashContent,
    keep: (content: FlashContent) => void = () => undefined,
  ) {
    this.content = content ?? {
      ...{ slots: [{ version, crashes: false }, null], active: 0, trial: null, order: null },
      ...{ ends: {}, deferred: [], unheard: [] },
    };
    this.#keep = keep;
  }

  /** What runs now: the image on trial while there is one. */
  get running(): Slot {
    const { slots, active, trial } = this.content;
    return (trial ? this.spare : slots[active]) ?? slots[0];
  }

  get spare(): Slot | null {
    return this.content.slots[this.content.active === 0 ? 1 : 0];
  }

  /** Changes something and keeps it. */
  write(change: (content: FlashContent) => void): void {
    const { content } = this;
    change(content);
    for (const job of Object.keys(content.ends).slice(0, -REMEMBERED)) delete content.ends[job];
    content.deferred.splice(0, content.deferred.length - REMEMBERED);
    this.#keep(content);
  }

  /** The place for the image of the order; what came of it already is still there. */
  arrivalOf(order: UpdateOrder): Arrival {
    if (this.image?.bytes.length !== order.size) this.image = new Arrival(order.size);
    return this.image;
  }
}
