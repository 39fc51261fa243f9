import { describe, expect, it } from 'vitest';
import { mayConfigure, mayVisit } from './roles.ts';

describe('pages by role', () => {
  it.each([
    ['admin', '/', true],
    ['org_admin', '/', false],
    ['viewer', '/org', true],
    ['viewer', '/org/devices/EC-1', true],
    ['partner', '/org/devices', true],
    ['partner', '/partner', true],
    ['org_admin', '/partner', false],
    ['customer', '/portal', true],
    ['customer', '/portal/devices/EC-1', true],
    ['customer', '/account', true],
    ['viewer', '/portal', false],
    ['customer', '/portal/room', false],
    ['tenant', '/portal/room', true],
    ['tenant', '/portal', false],
    ['tenant', '/org', false],
    ['customer', '/organisation', false],
  ] as const)('%s at %s: %s', (role, path, allowed) => {
    expect(mayVisit(path, [role])).toBe(allowed);
  });

  it('lets somebody with two roles into both homes', () => {
    expect(mayVisit('/org', ['tenant', 'viewer'])).toBe(true);
    expect(mayVisit('/portal/room', ['tenant', 'viewer'])).toBe(true);
  });

  it('lets nobody without a role anywhere but the waiting page', () => {
    expect(mayVisit('/org', [])).toBe(false);
    expect(mayVisit('/', [])).toBe(false);
    expect(mayVisit('/welcome', [])).toBe(true);
    expect(mayVisit('/account', [])).toBe(true);
    expect(mayVisit('/claim/done', [])).toBe(true);
    expect(mayVisit('/accounts', [])).toBe(false);
  });

  it('leaves settings to those who may configure', () => {
    expect(mayConfigure(['operator'])).toBe(false);
    expect(mayConfigure(['viewer', 'org_admin'])).toBe(true);
  });
});
