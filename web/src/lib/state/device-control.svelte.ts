import type { Device, DeviceShadow } from '@edgeconductor/sdk';
import { sameValue } from '@edgeconductor/sdk/contract';
import { controlState, type ControlState, type Wish } from '#lib/controls/control-state.ts';
import { isObject, patchFor } from '#lib/controls/desired-change.ts';
import { settle, type Problem } from '#lib/problem.ts';
import type { DeviceLive } from './device-live.svelte.ts';

export interface ControlDoors {
  send(patch: Record<string, unknown>, ifVersion: number): Promise<DeviceShadow>;
  fetch(): Promise<Device>;
}

/** Why a wish was not taken; `theirs` when somebody else asked for something different in the meantime. */
export type Refusal = { problem: Problem; theirs: false } | { problem: null; theirs: true; value: unknown };

interface Kept extends Wish {
  /** What was asked for before: whether somebody else changed it is seen by this. */
  base: unknown;
  /** Not sent before: a slider that still moves. Epoch ms. */
  dueAt: number;
  refusal: Refusal | null;
}

const TRIES = 3;

/**
 * What somebody sets on one device. A change shows at once, waits while its number still moves, and is sent with the
 * version it was made on; when somebody else changed other keys meanwhile it is merged and sent again, and when they
 * changed the same one, nobody's wish is overwritten unseen.
 */
export class DeviceControl {
  #wishes = $state.raw<ReadonlyMap<string, Kept>>(new Map());
  #nudgedAt = $state.raw<ReadonlyMap<string, number>>(new Map());
  #live: DeviceLive;
  #doors: ControlDoors;
  #patienceMs: () => number;
  #sending = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(live: DeviceLive, doors: ControlDoors, patienceMs: () => number) {
    this.#live = live;
    this.#doors = doors;
    this.#patienceMs = patienceMs;
  }

  state(key: string, now: number): ControlState {
    const { snapshot, desired } = this.#live;
    const heard = desired.heardAt(key);
    const nudged = this.#nudgedAt.get(key);
    return controlState(
      {
        key,
        wish: this.#wishes.get(key),
        want: desired.document[key],
        have: snapshot.values.get(key),
        askedAt: nudged === undefined ? heard : Math.max(nudged, heard ?? 0),
        there: snapshot.isThere(now),
        backAt: snapshot.backAt,
        patienceMs: this.#patienceMs(),
      },
      now,
    );
  }

  refusal(key: string): Refusal | null {
    return this.#wishes.get(key)?.refusal ?? null;
  }

  /** Asks for a value; `settleMs` waits for a newer one first. undefined: nobody asks for the key any more. */
  set(key: string, value: unknown, settleMs = 0): void {
    const before = this.#wishes.get(key);
    const base = before?.state === 'typing' ? before.base : this.#live.desired.document[key];
    this.#keep(key, { value, base, state: 'typing', dueAt: Date.now() + settleMs, refusal: null });
    this.#schedule();
  }

  /** The same wish once more: it reaches a device that did not follow. */
  again(key: string): void {
    const refused = this.#wishes.get(key);
    this.#nudgedAt = new Map(this.#nudgedAt).set(key, Date.now());
    this.set(key, refused ? refused.value : this.#live.desired.document[key]);
  }

  /** Gives the wish up: what the device reports is what it should be; when it reports nothing, nobody asks any more. */
  giveUp(key: string): void {
    this.set(key, this.#live.snapshot.values.get(key)?.value);
  }

  /** Forgets a wish that was refused. */
  dismiss(key: string): void {
    this.#drop(key);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const due = [...this.#wishes.values()]
      .filter(({ state }) => state === 'typing')
      .map(({ dueAt }) => dueAt);
    if (this.#sending || due.length === 0) return;
    this.#timer = setTimeout(() => void this.#flush(), Math.max(0, Math.min(...due) - Date.now()));
  }

  async #flush(): Promise<void> {
    const now = Date.now();
    const due = [...this.#wishes].filter(([, wish]) => wish.state === 'typing' && wish.dueAt <= now);
    const sent = new Map(due.map(([key, wish]) => [key, { ...wish, state: 'sending' as const }]));
    for (const [key, wish] of sent) this.#keep(key, wish);
    this.#sending = true;
    await this.#send(sent);
    this.#sending = false;
    this.#schedule();
  }

  /** One patch for all that is due. Whatever happens, each of the wishes is taken or carries its refusal. */
  async #send(open: Map<string, Kept>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      this.#refuseContested(open);
      if (open.size === 0) return;
      const { desired } = this.#live;
      const outcome = await settle(this.#doors.send(this.#patch(open), desired.version));
      if (!outcome.problem) {
        desired.accept(outcome.data);
        for (const [key, wish] of open) this.#settled(key, wish);
        return;
      }
      const stale = outcome.problem.code === 'stale_version' && attempt < TRIES;
      const fresh = stale ? await settle(this.#doors.fetch()) : null;
      if (fresh?.data) desired.refresh(fresh.data);
      else return this.#refuse(open, fresh?.problem ?? outcome.problem);
    }
  }

  #patch(open: ReadonlyMap<string, Kept>): Record<string, unknown> {
    const { document } = this.#live.desired;
    const entries = [...open].map(([key, { value }]) => {
      const old = document[key];
      if (value === undefined) return [key, null] as const;
      return [key, isObject(old) && isObject(value) ? patchFor(old, value) : value] as const;
    });
    return Object.fromEntries(entries);
  }

  #refuseContested(open: Map<string, Kept>): void {
    for (const [key, wish] of open) {
      const theirs = this.#live.desired.document[key];
      if (sameValue(theirs, wish.base) || sameValue(theirs, wish.value)) continue;
      open.delete(key);
      this.#settled(key, wish, { problem: null, theirs: true, value: theirs });
    }
  }

  #refuse(open: ReadonlyMap<string, Kept>, problem: Problem): void {
    for (const [key, wish] of open) this.#settled(key, wish, { problem, theirs: false });
  }

  /** A newer wish for the key stands, whatever became of this one. */
  #settled(key: string, wish: Kept, refusal: Refusal | null = null): void {
    const current = this.#wishes.get(key);
    if (current === wish) {
      if (refusal) this.#keep(key, { ...wish, state: 'refused', refusal });
      else this.#drop(key);
    } else if (current?.state === 'typing' && !refusal) this.#keep(key, { ...current, base: wish.value });
  }

  #keep(key: string, wish: Kept): void {
    this.#wishes = new Map(this.#wishes).set(key, wish);
  }

  #drop(key: string): void {
    const wishes = new Map(this.#wishes);
    wishes.delete(key);
    this.#wishes = wishes;
  }
}
