import { createSubscriber } from 'svelte/reactivity';

/** Colours of the present theme as a canvas needs them; reading one follows theme changes. */
class Palette {
  #subscribe = createSubscriber((update) => {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const observer = new MutationObserver(update);
    observer.observe(document.documentElement, {
      attributes: true,
      attributeFilter: ['data-theme', 'style'],
    });
    dark.addEventListener('change', update);
    return () => {
      observer.disconnect();
      dark.removeEventListener('change', update);
    };
  });

  /** `resolve('var(--metric-temp)')` → `rgb(180, 86, 21)`. */
  resolve(css: string): string {
    this.#subscribe();
    const probe = document.createElement('span');
    probe.style.color = css;
    document.body.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  }
}

export const palette = new Palette();
