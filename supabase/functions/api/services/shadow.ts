/** What a device should be and do: its desired document, and who changed it when. */
import { MAX_CLIENT_TOKEN_BYTES, parseShadowDocument } from '@edgeconductor/sdk/contract';
import type { DeviceShadow, PacketData, ShadowChange, ShadowHistoryQuery } from '@edgeconductor/sdk/contract';
import { lastly, literal } from '../../_shared/db.ts';
import type { Db } from '../../_shared/db.ts';
import { AppError } from '../../_shared/errors.ts';
import { missing } from './devices.ts';
import { cutPage, decodeCursor } from './page.ts';
import type { Page } from './page.ts';

export interface DesiredChange {
  serial: string;
  /** The patch as it was sent: JSON, null removes a key. */
  body: Uint8Array;
  /** Headers If-Match and X-Client-Token. */
  ifMatch: string | undefined;
  clientToken: string | undefined;
}

/** Merges a patch into desired; the device hears of it in the same transaction. */
export async function changeDesired(db: Db, change: DesiredChange): Promise<DeviceShadow> {
  const patch = JSON.stringify(readDocument(change.body));
  const version = readVersion(change.ifMatch);
  const token = readClientToken(change.clientToken);
  const [row] = await lastly<{ shadow: DeviceShadow & { changed: boolean } }>(
    db,
    `select ec.set_shadow_desired(${literal(change.serial)}, ${literal(patch)}::jsonb, ${version ?? 'null'},
      ${token === null ? 'null' : literal(token)}) as shadow`,
  );
  const { changed: _, ...shadow } = (row as { shadow: DeviceShadow & { changed: boolean } }).shadow;
  return shadow;
}

/** A shadow document under the rules of packets. Throws `too_large` or `invalid_request` with the reason. */
export function readDocument(body: Uint8Array): PacketData {
  const document = parseShadowDocument(body);
  if (document.ok) return document.data;
  const code = document.reason === 'too_large' ? 'too_large' : 'invalid_request';
  throw new AppError(code, document.detail, {
    issues: [{ path: [], code: document.reason, message: document.detail }],
  });
}

/** Who changed which keys, newest first; what happened before the device came to its organisation stays there. */
export async function listChanges(
  db: Db,
  serial: string,
  query: ShadowHistoryQuery,
): Promise<Page<ShadowChange>> {
  const from = query.after === undefined ? null : decodeCursor(query.after, 1);
  const [device] = await db<{ org_id: string }[]>`
    select d.org_id from public.devices d
    where d.serial = ${serial} and d.org_id = any (array(select private.my_org_ids()))`;
  if (device === undefined) throw missing();
  const rows = await db<ShadowChange[]>`
    select a.id, a.created_at as at, coalesce(a.actor_label, 'system') as actor, a.actor_kind,
      coalesce(a.before, '{}') as before, coalesce(a.after, '{}') as after
    from public.audit_log a
    where a.org_id = ${device.org_id} and a.target_id = ${serial} and a.action = 'shadow_desired_changed'
      ${from === null ? db`` : db`and a.id < ${Number(from[0])}`}
    order by a.id desc limit ${query.limit + 1}`;
  return cutPage(rows, query.limit, (row) => [row.id]);
}

/** `5` and the entity tags `"5"`, `W/"5"`; `*` and nothing ask for no version. */
function readVersion(header: string | undefined): number | null {
  if (header === undefined || header.trim() === '*') return null;
  const digits = /^\s*(?:W\/)?"?(\d{1,15})"?\s*$/.exec(header)?.[1];
  if (digits !== undefined) return Number(digits);
  throw badHeader('If-Match', 'If-Match is the desired_version that the change is meant for.');
}

function readClientToken(header: string | undefined): string | null {
  if (header === undefined || header === '') return null;
  if (/^[\x20-\x7e]+$/.test(header) && header.length <= MAX_CLIENT_TOKEN_BYTES) return header;
  throw badHeader('X-Client-Token', `X-Client-Token has up to ${MAX_CLIENT_TOKEN_BYTES} visible characters.`);
}

function badHeader(name: string, message: string): AppError {
  return new AppError('invalid_request', message, {
    issues: [{ path: ['headers', name], code: 'custom', message }],
  });
}
