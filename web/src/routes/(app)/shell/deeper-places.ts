import FileUp from '@lucide/svelte/icons/file-up';
import Printer from '@lucide/svelte/icons/printer';
import Settings from '@lucide/svelte/icons/settings';
import { sectionsFor } from '../org/settings/sections.ts';
import type { Place } from './places.ts';

/** Pages of an org that stand in no rail, for whoever looks for them by name. */
export function deeperPlaces(mayConfigure: boolean): Place[] {
  const settings = sectionsFor(mayConfigure).map(({ path, label }) => ({
    path,
    label: `Settings: ${label}`,
    icon: Settings,
  }));
  if (!mayConfigure) return settings;
  return [
    ...settings,
    { path: '/org/devices/import', label: 'Import devices', icon: FileUp },
    { path: '/org/rooms/print', label: 'Print room codes', icon: Printer },
  ];
}
