/** The pages of an org's settings, and who has anything to do there. */

interface SettingsSection {
  path: string;
  label: string;
  /** Only for those who may change settings; to others there is nothing to see. */
  admins?: true;
}

const SECTIONS: readonly SettingsSection[] = [
  { path: '/org/settings/general', label: 'General' },
  { path: '/org/settings/members', label: 'Members' },
  { path: '/org/settings/locations', label: 'Locations' },
  { path: '/org/settings/keys', label: 'API keys', admins: true },
  { path: '/org/settings/provisioning', label: 'Provisioning', admins: true },
  { path: '/org/settings/audit', label: 'Audit log' },
  { path: '/org/settings/danger', label: 'Danger zone', admins: true },
];

export function sectionsFor(mayConfigure: boolean): SettingsSection[] {
  return SECTIONS.filter((section) => mayConfigure || !section.admins);
}
