import {
  NotFoundError,
  RateLimitError,
  type ClaimPreview,
  type EdgeConductor,
  type Me,
} from '@edgeconductor/sdk';
import { readBrand, type Brand } from '#lib/brand/brand.ts';
import { waitWords } from '#lib/format/wait.ts';
import { settle, toProblem, type Problem } from '#lib/problem.ts';
import type { ClaimTrouble } from './claim-words.ts';

/** What the page shows of a scanned code. */
export type ClaimView =
  | { kind: 'claimable'; serial: string; product: string; brand: Brand | null }
  | { kind: 'yours'; serial: string; product: string; brand: Brand | null; home: string }
  | { kind: 'trouble'; trouble: ClaimTrouble; serial: string | null; brand: Brand | null; wait: string }
  | { kind: 'problem'; problem: Problem };

interface Code {
  serial: string;
  code: string;
}

export async function viewClaim(api: EdgeConductor, code: Code, me: Me | null): Promise<ClaimView> {
  try {
    return await viewOf(api, await api.claims.preview(code, { maxRetries: 0 }), me);
  } catch (cause) {
    return refusedView(cause);
  }
}

/** A code nobody could read is as good as unknown. */
export const UNREADABLE: ClaimView & { kind: 'trouble' } = {
  kind: 'trouble',
  trouble: 'unknown',
  serial: null,
  brand: null,
  wait: '',
};

async function viewOf(api: EdgeConductor, preview: ClaimPreview, me: Me | null): Promise<ClaimView> {
  const { state, serial, product_type: type, org } = preview;
  const brand = org && readBrand(org.brand, org.name);
  const shown = { serial, product: type.name, brand };
  if (state === 'claimable') return { kind: 'claimable', ...shown };
  if (state !== 'yours') return { kind: 'trouble', trouble: state, serial, brand, wait: '' };
  return { kind: 'yours', ...shown, home: await homeOf(api, serial, me) };
}

/** The page of a device that is theirs: in their portal, or in their organisation. */
async function homeOf(api: EdgeConductor, serial: string, me: Me | null): Promise<string> {
  const { data: device } = await settle(api.devices.get(serial));
  if (!device) return '/';
  return `${me !== null && device.customer_id === me.id ? '/portal' : '/org'}/devices/${serial}`;
}

function refusedView(cause: unknown): ClaimView {
  if (cause instanceof NotFoundError) return UNREADABLE;
  if (cause instanceof RateLimitError)
    return { ...UNREADABLE, trouble: 'too_many', wait: waitWords(cause.retryAfter) };
  return { kind: 'problem', problem: toProblem(cause) };
}

/** Where a claimed device can stand: an organisation this person registers devices for, or their own portal. */
export interface Destination {
  /** Null for the portal. */
  org_id: string | null;
  name: string;
}

const REGISTERS = ['admin', 'partner', 'org_admin'];

export async function destinationsOf(api: EdgeConductor, me: Me): Promise<Destination[]> {
  const staff = me.memberships.filter(({ role }) => REGISTERS.includes(role));
  const portal = { org_id: null, name: 'My devices' };
  if (staff.length === 0) return [portal];
  const orgs = staff.some(({ role }) => role !== 'org_admin')
    ? (await api.orgs.list()).map(({ id, name }) => ({ org_id: id, name }))
    : staff.map(({ org_id, org_name }) => ({ org_id, name: org_name ?? 'Unnamed organisation' }));
  return me.memberships.some(({ role }) => role === 'customer') ? [...orgs, portal] : orgs;
}
