import {
  NotFoundError,
  RateLimitError,
  type EdgeConductor,
  type InvitationPreview,
} from '@edgeconductor/sdk';
import { readBrand, type Brand } from '#lib/brand/brand.ts';
import { waitWords } from '#lib/format/wait.ts';
import { toProblem, type Problem } from '#lib/problem.ts';

export type InvitationTrouble = 'accepted' | 'expired' | 'revoked' | 'unknown' | 'too_many';

export type InvitationView =
  | {
      kind: 'open';
      email: string;
      role: InvitationPreview['role'];
      place: string;
      brand: Brand;
      expiresAt: string;
    }
  | { kind: 'trouble'; trouble: InvitationTrouble; email: string | null; brand: Brand | null; wait: string }
  | { kind: 'problem'; problem: Problem };

export async function viewInvitation(api: EdgeConductor, token: string): Promise<InvitationView> {
  try {
    return viewOf(await api.invitations.preview({ token }, { maxRetries: 0 }));
  } catch (cause) {
    if (cause instanceof NotFoundError) return UNREADABLE;
    if (cause instanceof RateLimitError)
      return { ...UNREADABLE, trouble: 'too_many', wait: waitWords(cause.retryAfter) };
    return { kind: 'problem', problem: toProblem(cause) };
  }
}

export const UNREADABLE: InvitationView & { kind: 'trouble' } = {
  kind: 'trouble',
  trouble: 'unknown',
  email: null,
  brand: null,
  wait: '',
};

function viewOf({ state, email, role, org, partner, expires_at }: InvitationPreview): InvitationView {
  const face = org ?? partner;
  const place = face?.name ?? 'EdgeConductor';
  const brand = readBrand(face?.brand, place);
  if (state !== 'open') return { kind: 'trouble', trouble: state, email, brand, wait: '' };
  return { kind: 'open', email, role, place, brand, expiresAt: expires_at };
}
