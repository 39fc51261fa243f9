import { describe, expect, it } from 'vitest';
import { safeNext } from './next-url.ts';

describe('the way back after signing in', () => {
  it.each([
    ['/org', '/org'],
    ['/org/devices?status=offline&q=a%20b#top', '/org/devices?status=offline&q=a%20b#top'],
    ['/claim?serial=EC-1&code=x', '/claim?serial=EC-1&code=x'],
    ['/org/../portal', '/portal'],
    ['/org/devices?q=100%25', '/org/devices?q=100%25'],
    ['/org/devices?q=a//b', '/org/devices?q=a//b'],
    ['/org/rooms/Caf%C3%A9', '/org/rooms/Caf%C3%A9'],
  ])('keeps a path of this site: %s', (next, expected) => {
    expect(safeNext(next, '/home')).toBe(expected);
  });

  it.each([
    '',
    null,
    undefined,
    'org',
    'https://evil.example/',
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '/org\r\nSet-Cookie: a=b',
    '\\\\evil.example',
    'javascript:alert(1)',
    '/./\\/evil.example',
    '/.//evil.example',
    '/..//evil.example',
    ' /org',
    '/%2f/evil.example',
    '/%2F%2Fevil.example',
    '/%5cevil.example',
    '/%5C%5Cevil.example',
    '/%252f%252fevil.example',
    '/%09/evil.example',
    '/%0d%0aSet-Cookie:%20a=b',
    '/%00',
    '/%',
    '/%c0%af%c0%afevil.example',
    '/\u2028/evil.example',
    '/\u200b/evil.example',
    '/\u202eevil.example',
    '/\uff0fevil.example',
    '/\uff0f\uff0fevil.example',
    '/\u2044\u2044evil.example/..//x',
    '\uff0f\uff0fevil.example',
    'http:evil.example',
    'HTTPS://evil.example',
    'data:text/html,x',
    '/\n/evil.example',
    `/${'a'.repeat(2100)}`,
  ])('refuses what could lead elsewhere: %j', (next) => {
    expect(safeNext(next, '/home')).toBe('/home');
  });

  it('never returns to the sign-in page itself', () => {
    expect(safeNext('/sign-in?next=/org', '/home')).toBe('/home');
    expect(safeNext('/sign-out', '/home')).toBe('/home');
    expect(safeNext('/sign-in/second-factor', '/home')).toBe('/home');
    expect(safeNext('/%73ign-out', '/home')).toBe('/home');
  });
});
