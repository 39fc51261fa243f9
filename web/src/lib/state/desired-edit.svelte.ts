import type { Device, DeviceShadow } from '@edgeconductor/sdk';
import { MAX_PACKET_BYTES, mergeShadow } from '@edgeconductor/sdk/contract';
import {
  changesOf,
  patchFor,
  withoutNulls,
  withoutPaths,
  type Change,
} from '#lib/controls/desired-change.ts';
import { bytesOf, readDocument, type Fault } from '#lib/controls/json-text.ts';
import { settle, type Problem } from '#lib/problem.ts';
import type { DesiredLive } from './desired-live.svelte.ts';

type Document = Record<string, unknown>;

export interface EditDoors {
  send(patch: Document, ifVersion: number): Promise<DeviceShadow>;
  fetch(): Promise<Device>;
}

/** A key that two people changed at once. */
export interface Contest {
  path: string;
  mine: unknown;
  theirs: unknown;
}

export type EditOutcome =
  { kind: 'sent'; merged: boolean } | { kind: 'contested' } | { kind: 'refused'; problem: Problem };

const TRIES = 3;

/**
 * The desired document as text. What is sent is the difference to what the text began with, so that keys others change
 * meanwhile stay theirs; keys that both changed are asked about.
 */
export class DesiredEdit {
  text = $state('');
  #desired: DesiredLive;
  #doors: EditDoors;
  #base = $state.raw<Document>({});
  #version = -1;
  #contests = $state.raw<Contest[]>([]);
  #read = $derived(readDocument(this.text));
  #document = $derived(this.#read.fault ? null : withoutNulls(this.#read.value as Document));
  #patch = $derived(this.#document ? patchFor(this.#base, this.#document) : {});

  /** Starts with the document as it is. */
  constructor(desired: DesiredLive, doors: EditDoors) {
    this.#desired = desired;
    this.#doors = doors;
    this.restart();
  }

  /** Where the text cannot be read; null when it can. */
  get fault(): Fault | null {
    return this.#read.fault;
  }

  /** Of the compact document, which is what counts. */
  get bytes(): number {
    return this.#document ? bytesOf(this.#document) : 0;
  }

  get tooLarge(): boolean {
    return this.bytes > MAX_PACKET_BYTES;
  }

  /** What sending it would change, as things stand now. */
  get changes(): Change[] {
    return changesOf(this.#desired.document, this.#patch);
  }

  /** Keys that somebody else changed to something different since the last try to send; sending again insists. */
  get contests(): readonly Contest[] {
    return this.#contests;
  }

  get sendable(): boolean {
    return !this.fault && !this.tooLarge && this.changes.length > 0;
  }

  /** What others changed to something else stays as they want it; the rest of what was typed is kept. */
  yieldToOthers(): void {
    const mine = withoutPaths(
      this.#patch,
      this.#contests.map(({ path }) => path),
    );
    this.restart();
    this.text = JSON.stringify(mergeShadow(this.#base, mine), null, 2);
  }

  /** The present document, whatever was typed. */
  restart(): void {
    this.#base = { ...this.#desired.document };
    this.#version = this.#desired.version;
    this.#contests = [];
    this.text = JSON.stringify(this.#base, null, 2);
  }

  /** `insist`: what others changed to something else meanwhile is changed all the same; they were shown. */
  async send(insist = false): Promise<EditOutcome> {
    for (let attempt = 1; ; attempt++) {
      const { document, version } = this.#desired;
      this.#contests = insist ? [] : contestsOf(this.#base, this.#patch, document);
      if (this.#contests.length > 0) return { kind: 'contested' };
      const outcome = await settle(this.#doors.send(this.#patch, version));
      if (!outcome.problem) {
        this.#desired.accept(outcome.data);
        const merged = version !== this.#version;
        this.restart();
        return { kind: 'sent', merged };
      }
      const stale = outcome.problem.code === 'stale_version' && attempt < TRIES;
      const fresh = stale ? await settle(this.#doors.fetch()) : null;
      if (!fresh?.data) return { kind: 'refused', problem: fresh?.problem ?? outcome.problem };
      this.#desired.refresh(fresh.data);
    }
  }
}

function contestsOf(base: Document, patch: Document, present: Readonly<Document>): Contest[] {
  const mine = changesOf(base, patch);
  const theirs = changesOf(base, patchFor(base, present));
  return mine.flatMap(({ path, after }) => {
    const other = theirs.find((change) => overlaps(change.path, path));
    const same = other?.path === path && JSON.stringify(other.after) === JSON.stringify(after);
    return other && !same ? [{ path, mine: after, theirs: other.after }] : [];
  });
}

const overlaps = (a: string, b: string) => a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);
