import { randomBytes } from 'node:crypto';
import type { Actor, Database } from './database.ts';

export interface Invitation {
  id: string;
  org_id: string | null;
  partner_id: string | null;
  location_id: string | null;
  role: string;
  email: string;
  state: string;
  invited_by: string | null;
  sent_count: number;
}
export interface Invited {
  invitation: Invitation;
  /** Hash of the token in the link. */
  token: Buffer;
  url: string;
}

export interface Target {
  org_id?: string;
  partner_id?: string;
  location_id?: string;
  role: string;
  email: string;
}

export async function invite(db: Database, actor: Actor, target: Target): Promise<Invited> {
  const token = randomBytes(32);
  const url = `https://example.com/invite?token=${token.toString('hex')}`;
  const invitation = await db.as(actor, (session) =>
    session.value<Invitation>('select ec.create_invitation($1, $2, $3)', [target, token, url]),
  );
  return { invitation, token, url };
}

export interface Accepted {
  membership: {
    id: string;
    role: string;
    org_id: string | null;
    partner_id: string | null;
    location_id: string | null;
  };
  repeated: boolean;
}

export const accept = (db: Database, actor: Actor, token: Buffer): Promise<Accepted> =>
  db.as(actor, (session) => session.value('select ec.accept_invitation($1)', [token]));
