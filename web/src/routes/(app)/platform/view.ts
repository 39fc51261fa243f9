/** What of the platform is on the screen; in the URL, so that it can be linked and Back works. */

export const TABS = [
  { key: 'orgs', label: 'Organisations', search: 'Name or short name' },
  { key: 'partners', label: 'Partners', search: 'Name or short name' },
  { key: 'devices', label: 'Devices', search: 'Serial or name' },
  { key: 'users', label: 'People', search: 'Name or e-mail' },
] as const;
export type PlatformTab = (typeof TABS)[number]['key'];

type Params = Pick<URLSearchParams, 'get'>;

/** An unknown tab in a hand-made link is the first one. */
export function readPlatformView(params: Params): { tab: PlatformTab; q: string } {
  const tab = TABS.find(({ key }) => key === params.get('tab'))?.key ?? 'orgs';
  return { tab, q: params.get('q')?.trim().slice(0, 100) ?? '' };
}

export function platformAddress(tab: PlatformTab, q = ''): string {
  const params = new URLSearchParams();
  if (tab !== 'orgs') params.set('tab', tab);
  if (q) params.set('q', q);
  return params.size > 0 ? `/?${params}` : '/';
}
