import type { LiveDoors } from '#lib/state/live-hub.svelte.ts';
import { accessToken, ec } from './browser.ts';

/** What the live hub needs from outside. The socket code is fetched with the first lease, not with the page. */
export const liveDoors: LiveDoors = {
  // A renewal that failed is repeated in a moment anyway, by a newer one.
  lease: async (topics) => (await ec.live.lease(topics, { maxRetries: 0 })).leases,
  open: async () => {
    const { openLiveSocket } = await import('#lib/supabase/live-socket.ts');
    return openLiveSocket(accessToken.get);
  },
};
