/** Addresses of pages of the web app that a code or token opens. */
import type { Env } from '../../_shared/env.ts';
import { AppError } from '../../_shared/errors.ts';

/** What a room's QR shows; null without a web app. */
export function roomClaimUrl(env: Env, roomId: string, code: string): string | null {
  return env.webUrl && `${env.webUrl}/claim-room?room_id=${roomId}&code=${code}`;
}

/** Throws `unavailable` without a web app: an invitation would lead nowhere. */
export function invitationUrl(env: Env, token: string): string {
  if (env.webUrl === null)
    throw new AppError('unavailable', 'Invitations are not set up here: EC_WEB_URL is missing.');
  return `${env.webUrl}/invite?token=${token}`;
}
