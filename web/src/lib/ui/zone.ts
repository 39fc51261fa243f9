import { createContext } from 'svelte';

/** Time zone of the reader, set once by the root layout. */
export const [getZone, setZone] = createContext<() => string>();
