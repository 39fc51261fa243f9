import Building from '@lucide/svelte/icons/building-2';
import Door from '@lucide/svelte/icons/door-open';
import Gauge from '@lucide/svelte/icons/gauge';
import Inbox from '@lucide/svelte/icons/mail-warning';
import Settings from '@lucide/svelte/icons/settings';
import Layers from '@lucide/svelte/icons/layers';
import Cpu from '@lucide/svelte/icons/cpu';
import Firmware from '@lucide/svelte/icons/package-check';
import type { Component } from 'svelte';
import type { Role } from '#lib/auth/roles.ts';

export interface Place {
  path: string;
  label: string;
  icon: Component<{ size?: number; strokeWidth?: number }>;
}

const PLATFORM: Place = { path: '/', label: 'Platform', icon: Layers };
const PORTFOLIO: Place = { path: '/partner', label: 'Customers', icon: Building };
const ORG: readonly Place[] = [
  { path: '/org', label: 'Overview', icon: Gauge },
  { path: '/org/devices', label: 'Devices', icon: Cpu },
  { path: '/org/rooms', label: 'Rooms', icon: Door },
  { path: '/org/firmware', label: 'Firmware', icon: Firmware },
  { path: '/org/refused', label: 'Refused', icon: Inbox },
  { path: '/org/settings', label: 'Settings', icon: Settings },
];
const PORTAL: Place = { path: '/portal', label: 'My devices', icon: Cpu };
const ROOM: Place = { path: '/portal/room', label: 'My room', icon: Door };

/** The rail of a person: the places their roles open, widest first. */
export function placesFor(roles: readonly Role[], hasOrg: boolean): Place[] {
  const has = (role: Role) => roles.includes(role);
  return [
    ...(has('admin') ? [PLATFORM] : []),
    ...(has('partner') ? [PORTFOLIO] : []),
    ...(hasOrg ? ORG : []),
    ...(has('customer') ? [PORTAL] : []),
    ...(has('tenant') ? [ROOM] : []),
  ];
}

/** The deepest place a path lies in. */
export function currentPlace(places: readonly Place[], path: string): Place | undefined {
  const within = (place: Place) =>
    path === place.path || (place.path !== '/' && path.startsWith(`${place.path}/`));
  return places.filter(within).sort((a, b) => b.path.length - a.path.length)[0];
}
