/** Names and rhythm of live topics; no schema in here, so that a web page does not load zod for it. */

/** Renew well before a lease ends; a lease that ends stops the broadcast, not the screen. */
export const LEASE_S = 20;
export const LEASE_RENEW_S = 10;
export const MAX_LIVE_TOPICS = 100;

export type LiveTopicKind = 'org' | 'device' | 'bell' | 'job';

/** Splits a channel name made by `ec.lease_topics`: `<kind>:<uuid>:<epoch>`. */
export function parseLiveTopic(topic: string): { kind: LiveTopicKind; id: string; epoch: number } | null {
  const match = /^(org|device|bell|job):([0-9a-f-]{36}):(\d+)$/.exec(topic);
  if (match === null) return null;
  return { kind: match[1] as LiveTopicKind, id: match[2] as string, epoch: Number(match[3]) };
}
