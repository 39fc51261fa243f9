import type { Device, DevicePatch } from '@edgeconductor/sdk';

export interface DeviceTyped {
  name: string;
  /** Id of a place; '' = none. */
  room: string;
  /** Separated by commas. */
  tags: string;
}

type Changeable = Pick<Device, 'name' | 'location_id' | 'tags'>;

export function typedFrom({ name, location_id, tags }: Changeable): DeviceTyped {
  return { name: name ?? '', room: location_id ?? '', tags: tags.join(', ') };
}

/** What was changed, as a patch, and the patch that takes it back; null when nothing was. */
export function deviceChanges(
  device: Changeable,
  typed: DeviceTyped,
): { patch: DevicePatch; before: DevicePatch } | null {
  const patch: DevicePatch = {};
  const before: DevicePatch = {};
  const name = typed.name.trim() || null;
  if (name !== device.name) [patch.name, before.name] = [name, device.name];
  const room = typed.room || null;
  if (room !== device.location_id) [patch.location_id, before.location_id] = [room, device.location_id];
  const tags = splitTags(typed.tags);
  if (tags.join() !== [...device.tags].sort().join()) [patch.tags, before.tags] = [tags, device.tags];
  return Object.keys(patch).length > 0 ? { patch, before } : null;
}

function splitTags(text: string): string[] {
  const tags = text.split(',').map((tag) => tag.trim());
  return [...new Set(tags.filter(Boolean))].sort();
}
