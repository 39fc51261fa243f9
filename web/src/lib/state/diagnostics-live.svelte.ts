import type { DeviceDiagnostics } from '@edgeconductor/sdk';
import { createSubscriber } from 'svelte/reactivity';
import { settle, type Problem } from '#lib/problem.ts';
import { connectivity } from './connectivity.svelte.ts';

export const DIAGNOSTICS_RANGES = [6, 24, 168] as const;
export type DiagnosticsRange = (typeof DIAGNOSTICS_RANGES)[number];

const EVERY_MS = 60_000;
/** What a restart changes is stored a moment after its first packet. */
const SOON_MS = 2_000;

/** Verdicts and series of one device: asked again every minute, and soon after something that changes them. */
export class DiagnosticsLive {
  #value = $state.raw() as DeviceDiagnostics;
  #problem = $state.raw<Problem | null>(null);
  #range = $state<DiagnosticsRange>(24);
  #loading = $state(false);
  #asked = 0;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #fetch: (hours: DiagnosticsRange) => Promise<DeviceDiagnostics>;
  #subscribe = createSubscriber(() => {
    const timer = setInterval(() => void this.refresh(), EVERY_MS);
    return () => {
      clearInterval(timer);
      clearTimeout(this.#soon);
      this.#soon = undefined;
    };
  });

  constructor(first: DeviceDiagnostics, fetch: (hours: DiagnosticsRange) => Promise<DeviceDiagnostics>) {
    this.#value = first;
    this.#range = DIAGNOSTICS_RANGES.find((range) => range === first.hours) ?? 24;
    this.#fetch = fetch;
  }

  /** The last good answer; it stays while another is on its way, or does not come. */
  get current(): DeviceDiagnostics {
    this.#subscribe();
    return this.#value;
  }

  /** Why the last answer did not come. */
  get problem(): Problem | null {
    return this.#problem;
  }

  get range(): DiagnosticsRange {
    return this.#range;
  }

  get loading(): boolean {
    return this.#loading;
  }

  setRange(range: DiagnosticsRange): void {
    this.#range = range;
    void this.refresh(true);
  }

  /** Something changed; many hints within a moment are one request. */
  hint(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      void this.refresh();
    }, SOON_MS);
  }

  async refresh(asked = false): Promise<void> {
    if (!asked && (!connectivity.visible || !connectivity.online)) return;
    const turn = ++this.#asked;
    this.#loading = asked;
    const { data, problem } = await settle(this.#fetch(this.#range));
    // A slow answer to an older question must not replace a newer one.
    if (turn !== this.#asked) return;
    this.#loading = false;
    this.#problem = problem;
    if (data) this.#value = data;
  }
}
