import type { DeviceCredential } from '@edgeconductor/sdk';
import { parseTime } from '#lib/format/time.ts';

export type CredentialState = 'works' | 'ending' | 'ended' | 'revoked';

/** What a credential can do right now. */
export function credentialState(
  credential: Pick<DeviceCredential, 'expires_at' | 'revoked_at'>,
  now: number,
): CredentialState {
  if (credential.revoked_at) return 'revoked';
  const expires = parseTime(credential.expires_at);
  if (expires === null) return 'works';
  return expires <= now ? 'ended' : 'ending';
}
