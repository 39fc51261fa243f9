import { demoDevice } from './demo.ts';
import type { Role } from './people.ts';

export interface Place {
  role: Role;
  path: string;
}

/** Every page there is, with somebody who may see it. Filled devices and rooms come from the demo. */
export async function places(): Promise<Place[]> {
  const device = `/org/devices/${await demoDevice()}`;
  const org = ['/org', '/org/devices', '/org/devices?q=no-such-device', '/org/rooms', '/org/refused'];
  const sections = ['', '/history', '/diagnostics', '/events', '/settings'].map(
    (section) => device + section,
  );
  return [
    ...[...org, ...sections].map((path) => ({ role: 'org_admin' as const, path })),
    { role: 'admin', path: '/' },
    { role: 'partner', path: '/partner' },
    { role: 'customer', path: '/portal' },
    { role: 'tenant', path: '/portal/room' },
  ];
}

/** The places of one role after the other, so that each signs in once. */
export function byRole(all: Place[]): Map<Role, string[]> {
  const roles = new Map<Role, string[]>();
  for (const { role, path } of all) roles.set(role, [...(roles.get(role) ?? []), path]);
  return roles;
}
