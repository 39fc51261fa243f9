/** `Harbour Hotel & Spa` → `harbour-hotel-spa`: what a short name looks like before anybody edits it. */
export function slugOf(name: string): string {
  return name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll('ß', 'ss')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, '');
}

/** For the browser's own check of the field. */
export const SLUG_PATTERN = '[a-z0-9]+(-[a-z0-9]+)*';
