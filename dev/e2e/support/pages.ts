import { demoDevice } from './demo.ts';
import type { Role } from './people.ts';

export interface Place {
  /** Undefined for somebody who has not signed in. */
  role: Role | undefined;
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
    { role: undefined, path: '/sign-in' },
    { role: 'admin', path: '/' },
    { role: 'partner', path: '/partner' },
    { role: 'customer', path: '/portal' },
    { role: 'tenant', path: '/portal/room' },
  ];
}
