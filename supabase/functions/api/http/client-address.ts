/** The network address a request comes from, for limits and the audit trail. Only hops that were put there by
 *  somebody we trust count: everything else in the headers is what the caller likes to claim. */
import type { Env } from '../../_shared/env.ts';
import { sameText } from '../../_shared/secrets.ts';

type ReadHeader = (name: string) => string | undefined;

/**
 * `peer` is the other end of the socket. With n trusted proxies it is the n-th hop from the right of X-Forwarded-For,
 * written by the outermost of them. Our own web server may speak for its visitors: it proves itself with a secret.
 */
export function clientAddress(
  header: ReadHeader,
  peer: string | null,
  { trustedProxies, webSecret }: Pick<Env, 'trustedProxies' | 'webSecret'>,
): string | null {
  const secret = header('x-ec-web-secret');
  if (webSecret !== null && secret !== undefined && sameText(secret, webSecret)) {
    const visitor = toAddress(header('x-ec-client-address') ?? '');
    if (visitor !== null) return visitor;
  }
  const socket = toAddress(peer ?? '');
  if (trustedProxies === 0) return socket;
  const hops = (header('x-forwarded-for') ?? '').split(',');
  // Fewer hops than proxies: the request went round them, so nothing in the list can be believed.
  return (hops.length >= trustedProxies ? toAddress(hops.at(-trustedProxies) ?? '') : null) ?? socket;
}

/** Addresses that one customer of a provider can have by the billion count as one: IPv6 by its first 64 bits. */
export function limitAddress(address: string): string {
  return address.includes(':') ? `${expand(address).slice(0, 4).join(':')}::/64` : address;
}

/** Plain text of an IPv4 or IPv6 address, without port, brackets or zone; null for anything else. */
export function toAddress(text: string): string | null {
  const trimmed = text.trim().toLowerCase();
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(trimmed)?.[1] ?? trimmed.replace(/^([^:]*):\d+$/, '$1');
  const v4 = bare.replace(/^::ffff:(?=\d+\.)/, '');
  if (/^(\d{1,3}\.){3}\d{1,3}$/.test(v4))
    return v4.split('.').every((part) => Number(part) < 256) ? v4 : null;
  const v6 = bare.replace(/%.*$/, '');
  return v6.length <= 39 && isV6(v6) ? v6 : null;
}

function isV6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/.test(group))) return false;
  return halves.length === 2 ? groups.length < 8 : groups.length === 8;
}

function expand(address: string): string[] {
  const [left = '', right] = address.split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right ? right.split(':') : [];
  const middle = right === undefined ? [] : Array<string>(8 - head.length - tail.length).fill('0');
  return [...head, ...middle, ...tail].map((group) => group.replace(/^0+(?=.)/, ''));
}
