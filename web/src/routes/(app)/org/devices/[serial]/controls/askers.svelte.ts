import type { ShadowChange } from '@edgeconductor/sdk';

/** Who changed each desired key last, as far as the loaded history tells. */
export function askers() {
  let names = $state.raw<ReadonlyMap<string, string>>(new Map());
  return {
    of: (key: string): string | null => names.get(key) ?? null,
    /** Takes in the history, newest first. */
    learn: (changes: readonly ShadowChange[]): void => {
      const next = new Map<string, string>();
      for (const { actor, before, after } of changes) {
        for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
          if (!next.has(key)) next.set(key, actor);
      }
      names = next;
    },
  };
}
