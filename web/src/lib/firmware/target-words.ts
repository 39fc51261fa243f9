import type { OtaTarget } from '@edgeconductor/sdk';
import { countOf } from '#lib/format/value.ts';

const NAMES: Record<string, string> = {
  q: 'named like',
  status: 'status',
  product_type: 'type',
  tag: 'tag',
  lifecycle: 'lifecycle',
  fw_version: 'firmware',
};

/** Whom a job was asked for: "3 chosen devices", "all devices of the type Climate node", "devices with tag pilot". */
export function targetWords(target: OtaTarget, typeName: (key: string) => string): string {
  if ('serials' in target) {
    const [only] = target.serials;
    return target.serials.length === 1 && only ? only : `${countOf(target.serials.length, 'chosen device')}`;
  }
  if ('product_type' in target) return `all devices of the type ${typeName(target.product_type)}`;
  if ('filter_id' in target) return 'a saved filter';
  const parts = Object.entries(target.filter).map(([key, value]) => part(key, String(value), typeName));
  return `devices with ${parts.join(', ')}`;
}

function part(key: string, value: string, typeName: (key: string) => string): string {
  if (key === 'room_id' || key === 'location_id') return 'a chosen room';
  return `${NAMES[key] ?? key} ${key === 'product_type' ? typeName(value) : value.replace('_', ' ')}`;
}
