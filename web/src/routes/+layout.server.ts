import type { LayoutServerLoad } from './$types';

const ZONE = /^[\w+-]+(\/[\w+-]+)*$/;

export const load: LayoutServerLoad = ({ cookies }) => {
  const zone = cookies.get('ec-zone') ?? '';
  return { timeZone: isZone(zone) ? zone : 'UTC', theme: cookies.get('ec-theme') ?? 'system' };
};

function isZone(zone: string): boolean {
  try {
    return ZONE.test(zone) && new Intl.DateTimeFormat('en', { timeZone: zone }) !== undefined;
  } catch {
    return false;
  }
}
