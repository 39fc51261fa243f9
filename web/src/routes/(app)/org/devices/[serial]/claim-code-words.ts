import type { ClaimCodeStatus } from '@edgeconductor/sdk';
import { age, parseTime } from '#lib/format/time.ts';

export interface ClaimCodeWords {
  title: string;
  detail: string;
  /** Somebody may claim the device with it right now. */
  live: boolean;
}

const ENDED: Partial<Record<ClaimCodeStatus['state'], string>> = {
  used: 'The device was claimed with it.',
  yours: 'The device was claimed with it.',
  expired: 'It was not used in time.',
  reissued: 'A newer one replaced it.',
  transferred: 'The device went to another organisation.',
  unclaimed: 'The device was given back.',
  retired: 'The device was retired.',
};

/** How the newest claim code of a device stands, for whoever wants a label. */
export function claimCodeWords({ state, expires_at }: ClaimCodeStatus, now: number): ClaimCodeWords {
  if (state === 'none') {
    return {
      title: 'No claim code yet',
      detail: 'With a code in a QR on the device, whoever unpacks it takes it over with their phone.',
      live: false,
    };
  }
  if (state === 'claimable') {
    const expires = parseTime(expires_at);
    const left = expires === null ? '' : ` It works for another ${age(expires - now)}.`;
    return {
      title: 'A claim code is out there',
      detail: `Whoever scans it can take the device over.${left} We keep only its hash, so it cannot be shown again.`,
      live: true,
    };
  }
  return {
    title: 'The last claim code has ended',
    detail: `${ENDED[state] ?? ''} Make a new one to hand the device on.`.trim(),
    live: false,
  };
}
