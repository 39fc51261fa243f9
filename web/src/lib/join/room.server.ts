import { APIError, NotFoundError, RateLimitError, type EdgeConductor } from '@edgeconductor/sdk';
import { readBrand, type Brand } from '#lib/brand/brand.ts';
import { waitWords } from '#lib/format/wait.ts';
import { toProblem, type Problem } from '#lib/problem.ts';

export type RoomTrouble = 'expired' | 'rotated' | 'revoked' | 'unknown' | 'too_many';

export type RoomView =
  | { kind: 'open'; room: { id: string; name: string }; brand: Brand }
  | { kind: 'trouble'; trouble: RoomTrouble; wait: string }
  | { kind: 'problem'; problem: Problem };

export async function viewRoom(
  api: EdgeConductor,
  scanned: { room_id: string; code: string },
): Promise<RoomView> {
  try {
    const { room, org } = await api.roomClaims.preview(scanned, { maxRetries: 0 });
    return { kind: 'open', room, brand: readBrand(org.brand, org.name) };
  } catch (cause) {
    return troubleOf(cause);
  }
}

export const UNREADABLE: RoomView & { kind: 'trouble' } = { kind: 'trouble', trouble: 'unknown', wait: '' };

function troubleOf(cause: unknown): RoomView {
  if (cause instanceof NotFoundError) return UNREADABLE;
  if (cause instanceof RateLimitError)
    return { kind: 'trouble', trouble: 'too_many', wait: waitWords(cause.retryAfter) };
  if (cause instanceof APIError && cause.code === 'expired')
    return { kind: 'trouble', trouble: endOf(cause.problem['reason']), wait: '' };
  return { kind: 'problem', problem: toProblem(cause) };
}

function endOf(reason: unknown): RoomTrouble {
  return reason === 'rotated' || reason === 'revoked' ? reason : 'expired';
}
