import type { Location, LocationPatch } from '@edgeconductor/sdk';

type Changeable = Pick<Location, 'name' | 'timezone' | 'parent_id'>;

/** Only what differs, and the patch that takes it back. */
export function patchOf(
  location: Changeable,
  typed: Changeable,
): { patch: LocationPatch; before: LocationPatch } {
  const patch: LocationPatch = {};
  const before: LocationPatch = {};
  if (typed.name !== location.name) [patch.name, before.name] = [typed.name, location.name];
  if (typed.timezone !== location.timezone)
    [patch.timezone, before.timezone] = [typed.timezone, location.timezone];
  if (typed.parent_id !== location.parent_id)
    [patch.parent_id, before.parent_id] = [typed.parent_id, location.parent_id];
  return { patch, before };
}
