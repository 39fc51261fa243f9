import type { Device, Firmware } from '@edgeconductor/sdk';
import { compareVersions } from '#lib/format/versions.ts';

type Running = Pick<Device, 'fw_version'>;
type Image = Pick<Firmware, 'id' | 'version'>;

/** Whether going there is going back: something a person must have chosen by hand. */
export function isDowngrade({ version }: Pick<Image, 'version'>, { fw_version }: Running): boolean {
  return version !== null && fw_version !== null && compareVersions(version, fw_version) < 0;
}

/** The newest of those that are newer than what runs; undefined when the device is up to date. */
export function proposal<T extends Image>(images: readonly T[], { fw_version }: Running): T | undefined {
  return images
    .filter(({ version }) => fw_version === null || compareVersions(version ?? '', fw_version) > 0)
    .sort((a, b) => compareVersions(b.version ?? '', a.version ?? ''))[0];
}
