import { createSubscriber } from 'svelte/reactivity';

/** What the browser knows about itself: is there a network, is this tab on the screen. */
class Connectivity {
  #subscribe = createSubscriber((update) => {
    const names = ['online', 'offline', 'visibilitychange'] as const;
    const targets = { online: window, offline: window, visibilitychange: document };
    for (const name of names) targets[name].addEventListener(name, update);
    return () => {
      for (const name of names) targets[name].removeEventListener(name, update);
    };
  });

  get online(): boolean {
    this.#subscribe();
    // Node has a navigator, too, but it knows nothing of networks.
    return typeof navigator === 'undefined' || navigator.onLine !== false;
  }

  get visible(): boolean {
    this.#subscribe();
    return typeof document === 'undefined' || document.visibilityState === 'visible';
  }
}

export const connectivity = new Connectivity();
