import { RealtimeClient } from '@supabase/supabase-js';
import { PUBLIC_SUPABASE_PUBLISHABLE_KEY, PUBLIC_SUPABASE_URL } from '$app/env/public';
import type { LiveSocket } from '#lib/state/live-seat.ts';

const EVENTS = [
  ...(['telemetry', 'fleet', 'presence', 'shadow', 'command'] as const),
  ...(['ota', 'job', 'notification'] as const),
] as const;

/** Opens the Realtime socket. `accessToken` is asked at every join and heartbeat, so it may refresh itself. */
export async function openLiveSocket(accessToken: () => Promise<string | null>): Promise<LiveSocket> {
  const client = new RealtimeClient(`${PUBLIC_SUPABASE_URL.replace(/^http/, 'ws')}/realtime/v1`, {
    params: { apikey: PUBLIC_SUPABASE_PUBLISHABLE_KEY },
    accessToken,
    heartbeatIntervalMs: 15_000,
    reconnectAfterMs: (tries) => Math.min(1000 * 2 ** (tries - 1), 15_000) * (0.75 + Math.random() / 2),
  });
  await client.setAuth();
  return {
    join(topic, on) {
      const channel = client.channel(topic, { config: { private: true, broadcast: { self: false } } });
      for (const event of EVENTS) {
        channel.on('broadcast', { event }, (message) => on.event(event, message['payload']));
      }
      channel.subscribe((status) => on.joined(status === 'SUBSCRIBED'));
      return () => void client.removeChannel(channel);
    },
    close: () => void client.disconnect(),
  };
}
