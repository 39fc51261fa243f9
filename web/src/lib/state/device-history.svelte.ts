import type { TelemetryBuckets } from '@edgeconductor/sdk';
import { createSubscriber } from 'svelte/reactivity';
import { settle, type Loaded } from '#lib/problem.ts';
import { connectivity } from './connectivity.svelte.ts';

export const RANGES = [1, 6, 24, 168] as const;
export type Range = (typeof RANGES)[number];

export interface Span {
  from: number;
  to: number;
}

export type HistoryQuery = { hours: Range; metrics: string[] } | (Span & { metrics: string[] });

const HOUR = 3_600_000;
const REFRESH_MIN_MS = 30_000;
const ZOOM_MIN_MS = 60_000;

/** What the charts of one device show: a range that ends now, or a zoomed span; fetched again as time goes on. */
export class DeviceHistory {
  #range = $state<Range>(24);
  #zoom = $state<Span | null>(null);
  #shown = $state.raw<readonly string[]>([]);
  #loaded = $state.raw<Loaded<TelemetryBuckets> | null>(null);
  #loadedAt = $state(0);
  #loading = $state(false);
  #asked = 0;
  #fetch: (query: HistoryQuery) => Promise<TelemetryBuckets>;
  #subscribe = createSubscriber(() => {
    const timer = setInterval(() => this.#whenDue(), 5000);
    return () => clearInterval(timer);
  });

  constructor(
    range: Range,
    metrics: readonly string[],
    fetch: (query: HistoryQuery) => Promise<TelemetryBuckets>,
  ) {
    this.#range = range;
    this.#shown = metrics;
    this.#fetch = fetch;
  }

  get range(): Range {
    return this.#range;
  }

  get zoom(): Span | null {
    return this.#zoom;
  }

  get shown(): readonly string[] {
    return this.#shown;
  }

  get loading(): boolean {
    return this.#loading;
  }

  /** Null before the first answer. The last good answer stays while another is on its way. */
  get loaded(): Loaded<TelemetryBuckets> | null {
    this.#subscribe();
    return this.#loaded;
  }

  /** The window to draw. */
  span(now: number): Span {
    return this.#zoom ?? { from: now - this.#range * HOUR, to: now };
  }

  setRange(range: Range): void {
    this.#range = range;
    this.#zoom = null;
    void this.load();
  }

  /** Less than a minute is a slip of the mouse, not a zoom. */
  zoomTo(span: Span): void {
    const [from, to] = span.from < span.to ? [span.from, span.to] : [span.to, span.from];
    if (to - from < ZOOM_MIN_MS) return;
    this.#zoom = { from, to };
    void this.load();
  }

  zoomOut(): void {
    if (!this.#zoom) return;
    this.#zoom = null;
    void this.load();
  }

  toggle(metric: string): void {
    const on = this.#shown.includes(metric);
    this.#shown = on ? this.#shown.filter((key) => key !== metric) : [...this.#shown, metric];
    if (!on) void this.load();
  }

  async load(): Promise<void> {
    const asked = ++this.#asked;
    this.#loading = true;
    const metrics = [...this.#shown];
    const answer = await settle(
      this.#fetch(this.#zoom ? { ...this.#zoom, metrics } : { hours: this.#range, metrics }),
    );
    // A slow answer to an older question must not replace a newer one.
    if (asked !== this.#asked) return;
    this.#loading = false;
    this.#loadedAt = Date.now();
    if (answer.data || !this.#loaded?.data) this.#loaded = answer;
  }

  #whenDue(): void {
    if (this.#zoom || this.#loading || !connectivity.visible || !connectivity.online) return;
    const bucketMs = (this.#loaded?.data?.bucket_s ?? 0) * 1000;
    if (Date.now() - this.#loadedAt >= Math.max(REFRESH_MIN_MS, bucketMs)) void this.load();
  }
}
