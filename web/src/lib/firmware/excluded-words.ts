import type { OtaExclusion } from '@edgeconductor/sdk';

/** Why a device of the target does not get an update, in the order in which people can do something about it. */
const EXCLUDED: Record<OtaExclusion, { word: string; help: string }> = {
  same_version: { word: 'Has it already', help: 'Reports this very version.' },
  newer_version: { word: 'Runs a newer one', help: 'Only a forced downgrade would reach it.' },
  busy: { word: 'In another job', help: 'Its update is under way there.' },
  other_type: { word: 'Other product type', help: 'The image is for another product type.' },
  other_chip: { word: 'Other chip', help: 'Reports another chip than the image is built for.' },
  other_maker: { word: 'Other maker', help: 'Trusts the key of another maker; the image would be refused.' },
  not_found: { word: 'Not found', help: 'No device of this organisation has this serial number.' },
  retired: { word: 'Retired', help: 'Does not connect any more.' },
};

export const excludedWord = (reason: OtaExclusion): string => EXCLUDED[reason].word;
export const excludedHelp = (reason: OtaExclusion): string => EXCLUDED[reason].help;

/** Reasons with their counts, most devices first. */
export function countedReasons(reasons: Partial<Record<OtaExclusion, number>>): {
  reason: OtaExclusion;
  devices: number;
}[] {
  return (Object.entries(reasons) as [OtaExclusion, number][])
    .map(([reason, devices]) => ({ reason, devices }))
    .filter(({ devices }) => devices > 0)
    .sort((a, b) => b.devices - a.devices || a.reason.localeCompare(b.reason, 'en'));
}
