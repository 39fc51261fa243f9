import { redirect, type Cookies, type RequestEvent } from '@sveltejs/kit';

type Given = Pick<RequestEvent, 'cookies' | 'url'>;

const KEPT_S = 1800;
const UNREADABLE = '-';

/**
 * What a QR code or a mailed link carries. It leaves the address bar at once, so that it is in no history, no
 * screenshot and no referrer, and waits in a cookie that only pages below `path` get.
 */
export class Scanned<Key extends string> {
  #cookie: string;
  #path: string;
  #shapes: Record<Key, RegExp>;

  constructor(cookie: string, path: string, shapes: Record<Key, RegExp>) {
    this.#cookie = cookie;
    this.#path = path;
    this.#shapes = shapes;
  }

  /** When the address carries any of it: keeps it and redirects to the bare path. */
  take({ url, cookies }: Given): void {
    if (!this.#keys().some((key) => url.searchParams.has(key))) return;
    this.keep({ url, cookies }, Object.fromEntries(url.searchParams));
    redirect(303, this.#path);
  }

  /** Keeps it; what has not the right shape is remembered as unreadable. */
  keep({ url, cookies }: Given, given: Record<string, string>): void {
    const values = this.#keys().map((key) => given[key]?.trim() ?? '');
    const readable = this.#keys().every((key, i) => this.#shapes[key].test(values[i] ?? ''));
    cookies.set(this.#cookie, readable ? values.join(' ') : UNREADABLE, {
      path: this.#path,
      maxAge: KEPT_S,
      httpOnly: true,
      // A QR reader or a mail program opens the address from outside.
      sameSite: 'lax',
      secure: url.protocol === 'https:',
    });
  }

  /** Null when nothing was scanned, `unreadable` when it makes no sense. */
  read({ cookies }: { cookies: Pick<Cookies, 'get'> }): Record<Key, string> | 'unreadable' | null {
    const kept = cookies.get(this.#cookie);
    if (!kept) return null;
    const values = kept.split(' ');
    const entries = this.#keys().map((key, i) => [key, values[i] ?? ''] as const);
    if (!entries.every(([key, value]) => this.#shapes[key].test(value))) return 'unreadable';
    return Object.fromEntries(entries) as Record<Key, string>;
  }

  /** It has done its work. */
  drop({ cookies }: { cookies: Pick<Cookies, 'delete'> }): void {
    cookies.delete(this.#cookie, { path: this.#path });
  }

  #keys(): Key[] {
    return Object.keys(this.#shapes) as Key[];
  }
}

const SERIAL = /^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export const scannedDevice = new Scanned('ec-claim', '/claim', {
  serial: SERIAL,
  code: /^[A-Za-z0-9_-]{8,64}$/,
});
export const scannedRoom = new Scanned('ec-claim-room', '/claim-room', {
  room_id: UUID,
  code: /^[0-9A-Za-z-]{8,64}$/,
});
export const mailedInvitation = new Scanned('ec-invite', '/invite', { token: /^[A-Za-z0-9_-]{20,128}$/ });
