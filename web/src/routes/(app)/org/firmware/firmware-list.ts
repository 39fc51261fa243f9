import type { Firmware, FirmwareReason, OrgOverview, ProductType } from '@edgeconductor/sdk';

/** Images of one product type, newest first. */
export interface TypeImages {
  productType: string;
  images: Firmware[];
}

/** By product type, the one with the newest image first; what cannot be installed only when asked for. */
export function byProductType(firmware: readonly Firmware[], all: boolean): TypeImages[] {
  const types = new Map<string, Firmware[]>();
  for (const image of firmware.filter(wasThere))
    if (all || image.state === 'ready')
      types.set(image.product_type, [...(types.get(image.product_type) ?? []), image]);
  return [...types].map(([productType, images]) => ({ productType, images }));
}

/** How many images an unfiltered list would show besides the ready ones. */
export const hiddenImages = (firmware: readonly Firmware[]): number =>
  firmware.filter((image) => wasThere(image) && image.state !== 'ready').length;

/** An upload that somebody called off left nothing behind that is worth a line. */
const wasThere = ({ state, ready_at }: Firmware): boolean => state !== 'retired' || ready_at !== null;

/** What images of the type were built from until now, when that was always something else; null when nothing is odd. */
export function otherProjects(
  firmware: readonly Firmware[],
  type: string,
  project: string | undefined,
): string | null {
  const known = firmware
    .filter((image) => image.product_type === type && image.state === 'ready' && image.project)
    .map((image) => image.project ?? '');
  if (!project || known.length === 0 || known.includes(project)) return null;
  return [...new Set(known)].join(', ');
}

/** The type that images of this project were for until now; '' when nobody knows. */
export function typeOfProject(firmware: readonly Firmware[], project: string | undefined): string {
  const known = firmware.find((image) => project && image.state === 'ready' && image.project === project);
  return known?.product_type ?? '';
}

/** Devices of the org that report this very version. */
export function runningOn(
  counts: OrgOverview['firmware'],
  { product_type, version }: Pick<Firmware, 'product_type' | 'version'>,
): number {
  const found = counts.find((row) => row.product_type === product_type && row.fw_version === version);
  return found?.devices ?? 0;
}

/** Types somebody of this org may upload for: open ones, and those it makes. */
export const uploadableTypes = (types: readonly ProductType[], orgId: string): ProductType[] =>
  types.filter(({ maker_org_id }) => maker_org_id === null || maker_org_id === orgId);

/** Why an upload was refused, for the list. */
export const REFUSED: Record<FirmwareReason, string> = {
  empty_file: 'The file was empty.',
  too_large: 'The file was larger than 32 MB.',
  size_mismatch: 'Not everything arrived.',
  not_an_image: 'It is no ESP32 application image.',
  truncated_image: 'The image is cut off.',
  corrupt_image: 'The image is damaged: its own checksum does not fit.',
  wrong_chip: 'It is built for another chip.',
  version_missing: 'The image says no version.',
  version_mismatch: 'The image says another version.',
  invalid_version: 'Its version cannot be used.',
  duplicate_version: 'This version exists already.',
  replaced: 'The upload was begun again.',
  abandoned: 'The upload was never finished.',
};
