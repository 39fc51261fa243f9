import { describe, expect, it } from 'vitest';
import { safeNext } from './next-url.ts';

describe('the way back after signing in', () => {
  it.each([
    ['/org', '/org'],
    ['/org/devices?status=offline&q=a%20b#top', '/org/devices?status=offline&q=a%20b#top'],
    ['/claim?serial=EC-1&code=x', '/claim?serial=EC-1&code=x'],
    ['/org/../portal', '/portal'],
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
  ])('refuses what could lead elsewhere: %j', (next) => {
    expect(safeNext(next, '/home')).toBe('/home');
  });

  it('never returns to the sign-in page itself', () => {
    expect(safeNext('/sign-in?next=/org', '/home')).toBe('/home');
    expect(safeNext('/sign-out', '/home')).toBe('/home');
  });
});
