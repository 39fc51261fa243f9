import type { EdgeConductor } from '@edgeconductor/sdk';
import { LIVE_EVENTS } from '@edgeconductor/sdk/contract';
import { RealtimeClient } from '@supabase/supabase-js';
import type { Facts } from '../../stack/facts.ts';

/** What open pages hear: topics leased and joined as the web app does, without a browser around it. */
export class Screens {
  readonly #client: RealtimeClient;
  readonly #renewal: NodeJS.Timeout;

  private constructor(client: RealtimeClient, renewal: NodeJS.Timeout) {
    this.#client = client;
    this.#renewal = renewal;
  }

  /** Resolves when every topic is joined. `hear` gets each event with its payload. */
  static async open(
    { supabase_url, publishable_key }: Facts,
    person: EdgeConductor,
    token: string,
    asks: string[],
    hear: (event: string, payload: Record<string, unknown>) => void,
  ): Promise<Screens> {
    const client = new RealtimeClient(`${supabase_url!.replace(/^http/, 'ws')}/realtime/v1`, {
      params: { apikey: publishable_key },
      accessToken: () => Promise.resolve(token),
    });
    await client.setAuth();
    const { leases, renew_s } = await person.live.lease(asks);
    const joined = leases.map(({ topic }) => {
      const channel = client.channel(topic, { config: { private: true, broadcast: { self: false } } });
      for (const event of Object.keys(LIVE_EVENTS))
        channel.on('broadcast', { event }, (message) =>
          hear(event, message['payload'] as Record<string, unknown>),
        );
      return new Promise<void>((resolve, reject) => {
        channel.subscribe((status, error) => {
          if (status === 'SUBSCRIBED') resolve();
          else if (status !== 'CLOSED') reject(error ?? new Error(`${topic}: ${status}`));
        });
      });
    });
    await Promise.all(joined);
    const renew = (): void => void person.live.lease(asks).catch(() => undefined);
    return new Screens(client, setInterval(renew, renew_s * 1_000));
  }

  async close(): Promise<void> {
    clearInterval(this.#renewal);
    await this.#client.disconnect();
  }
}
