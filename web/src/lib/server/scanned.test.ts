import { isRedirect, type Cookies } from '@sveltejs/kit';
import { describe, expect, it } from 'vitest';
import { Scanned } from './scanned.ts';

const scanned = new Scanned('ec-test', '/claim', { serial: /^[A-Z0-9-]{3,}$/, code: /^[a-z0-9]{8,}$/ });

function visit(address: string) {
  const jar = new Map<string, string>();
  const options: Record<string, unknown>[] = [];
  const cookies = {
    get: (name: string) => jar.get(name),
    set: (name: string, value: string, given: Record<string, unknown>) => {
      jar.set(name, value);
      options.push(given);
    },
    delete: (name: string) => jar.delete(name),
  } as unknown as Cookies;
  return { event: { url: new URL(address), cookies }, options };
}

function redirectOf(work: () => void): string | null {
  try {
    work();
  } catch (cause) {
    if (isRedirect(cause)) return cause.location;
    throw cause;
  }
  return null;
}

describe('a scanned code', () => {
  it('leaves the address at once and waits in a cookie that scripts and other pages do not get', () => {
    const { event, options } = visit('https://fleet.example/claim?serial=EC-1&code=abcdefgh12&utm=x');
    expect(redirectOf(() => scanned.take(event))).toBe('/claim');
    expect(scanned.read(event)).toEqual({ serial: 'EC-1', code: 'abcdefgh12' });
    expect(options[0]).toMatchObject({ path: '/claim', httpOnly: true, sameSite: 'lax', secure: true });
  });

  it('is asked for where the address carries none', () => {
    const { event } = visit('http://127.0.0.1:3000/claim');
    expect(redirectOf(() => scanned.take(event))).toBeNull();
    expect(scanned.read(event)).toBeNull();
  });

  it.each(['?serial=EC-1', '?code=abcdefgh12', '?serial=EC-1&code=%20', '?serial=../x&code=abcdefgh12'])(
    'says that it cannot be read: %s',
    (search) => {
      const { event } = visit(`http://127.0.0.1:3000/claim${search}`);
      expect(redirectOf(() => scanned.take(event))).toBe('/claim');
      expect(scanned.read(event)).toBe('unreadable');
    },
  );

  it('does not believe a cookie somebody made up', () => {
    const { event } = visit('http://127.0.0.1:3000/claim');
    event.cookies.set('ec-test', 'EC-1 <script>', { path: '/claim' });
    expect(scanned.read(event)).toBe('unreadable');
  });

  it('is gone when it has done its work', () => {
    const { event } = visit('https://fleet.example/claim?serial=EC-1&code=abcdefgh12');
    redirectOf(() => scanned.take(event));
    scanned.drop(event);
    expect(scanned.read(event)).toBeNull();
  });
});
