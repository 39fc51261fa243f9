import { createContext } from 'svelte';
import type { MetricCatalog } from '#lib/metrics/catalog.ts';
import type { LiveHub } from './live-hub.svelte.ts';

export interface AppContext {
  hub: LiveHub;
  /** Follows the layout's data. */
  readonly catalog: MetricCatalog;
}

/** What every page inside the shell may use. */
export const [getApp, setApp] = createContext<AppContext>();
