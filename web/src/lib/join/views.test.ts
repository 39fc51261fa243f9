import {
  ConflictError,
  ConnectionError,
  NotFoundError,
  RateLimitError,
  type ClaimPreview,
  type EdgeConductor,
  type Me,
  type Membership,
} from '@edgeconductor/sdk';
import { describe, expect, it } from 'vitest';
import { destinationsOf, viewClaim } from './claim.server.ts';
import { viewInvitation } from './invitation.server.ts';
import { viewRoom } from './room.server.ts';

const details = (status: number, code: 'not_found' | 'rate_limited' | 'expired', more: object = {}) => ({
  status,
  code,
  issues: [],
  retryAfter: code === 'rate_limited' ? 720 : null,
  requestId: 'r',
  problem: { title: code, ...more },
});
const unknown = () => new NotFoundError('x', details(404, 'not_found'));
const tooMany = () => new RateLimitError('x', details(429, 'rate_limited'));
const ended = (reason: string) => new ConflictError('x', details(410, 'expired', { reason }));

/** An API of which only what a test names answers. */
const api = (parts: Record<string, Record<string, () => unknown>>) =>
  Object.fromEntries(
    Object.entries(parts).map(([resource, calls]) => [
      resource,
      Object.fromEntries(Object.entries(calls).map(([name, answer]) => [name, async () => answer()])),
    ]),
  ) as unknown as EdgeConductor;
const refusing = (error: Error) => () => {
  throw error;
};

const me = (...memberships: Partial<Membership>[]) => ({ id: 'me', memberships }) as unknown as Me;
const org = { name: 'Harbour Hotel', slug: 'harbour', brand: { colour: '#b3261e' } };

describe('a scanned device', () => {
  const code = { serial: 'EC-1', code: 'abcdefgh' };
  const preview = (state: ClaimPreview['state'], org: ClaimPreview['org'] = null) =>
    ({
      state,
      serial: 'EC-1',
      product_type: { key: 'EC-CLIMATE-V1', name: 'Climate node' },
      org,
    }) as ClaimPreview;
  const view = (answer: () => unknown, person: Me | null = null, more = {}) =>
    viewClaim(api({ claims: { preview: answer }, ...more }), code, person);

  it('can be added, under the name and colour of who hands it out', async () => {
    const shown = await view(() => preview('claimable', org));
    expect(shown).toMatchObject({
      kind: 'claimable',
      product: 'Climate node',
      brand: { name: 'Harbour Hotel' },
    });
  });

  it.each(['used', 'expired', 'reissued', 'transferred', 'unclaimed', 'retired'] as const)(
    'that cannot be added any more says so: %s',
    async (state) => {
      expect(await view(() => preview(state))).toMatchObject({ kind: 'trouble', trouble: state });
    },
  );

  it('is unknown, or its code closed for a while, without naming anybody', async () => {
    const trouble = { kind: 'trouble', serial: null, brand: null };
    expect(await view(refusing(unknown()))).toMatchObject({ ...trouble, trouble: 'unknown' });
    expect(await view(refusing(tooMany()))).toMatchObject({
      ...trouble,
      trouble: 'too_many',
      wait: 'about 12 minutes',
    });
  });

  it('is not blamed when the service does not answer', async () => {
    expect(await view(refusing(new ConnectionError('down')))).toMatchObject({
      kind: 'problem',
      problem: { code: 'unreachable' },
    });
  });

  it.each([
    ['me', '/portal/devices/EC-1'],
    [null, '/org/devices/EC-1'],
  ])('that is theirs already leads to its page (customer %s)', async (customer_id, home) => {
    const devices = { get: () => ({ customer_id }) };
    expect(await view(() => preview('yours'), me(), { devices })).toMatchObject({ kind: 'yours', home });
  });

  it('goes to the portal, to the one organisation, or to one that is chosen', async () => {
    const orgs = {
      list: () => [
        { id: 'o-1', name: 'Acme' },
        { id: 'o-2', name: 'Harbour' },
      ],
    };
    const places = (person: Me) => destinationsOf(api({ orgs }), person);
    const admin = { role: 'org_admin', org_id: 'o-1', org_name: 'Acme' } as const;
    const acme = { org_id: 'o-1', name: 'Acme' };
    const portal = { org_id: null, name: 'My devices' };
    expect(await places(me())).toEqual([portal]);
    expect(await places(me({ role: 'viewer', org_id: 'o-1' }))).toEqual([portal]);
    expect(await places(me(admin))).toEqual([acme]);
    expect(await places(me(admin, { role: 'customer', org_id: 'o-2' }))).toEqual([acme, portal]);
    expect(await places(me({ role: 'partner' }))).toEqual([acme, { org_id: 'o-2', name: 'Harbour' }]);
  });
});

describe('a scanned room', () => {
  const view = (answer: () => unknown) =>
    viewRoom(api({ roomClaims: { preview: answer } }), { room_id: 'r-1', code: 'ABCDEFGH' });

  it('is shown under the name of its organisation before anybody signs in', async () => {
    const shown = await view(() => ({ room: { id: 'r-1', name: 'Room 204' }, org }));
    expect(shown).toMatchObject({
      kind: 'open',
      room: { name: 'Room 204' },
      brand: { name: 'Harbour Hotel' },
    });
  });

  it.each([
    [ended('rotated'), 'rotated'],
    [ended('revoked'), 'revoked'],
    [ended('expired'), 'expired'],
    [ended('something new'), 'expired'],
    [unknown(), 'unknown'],
    [tooMany(), 'too_many'],
  ])('whose code ended says how: %s', async (error, trouble) => {
    expect(await view(refusing(error))).toMatchObject({ kind: 'trouble', trouble });
  });
});

describe('an invitation', () => {
  const view = (answer: () => unknown) => viewInvitation(api({ invitations: { preview: answer } }), 'token');
  const invitation = (state: string, more: object = {}) => ({
    state,
    email: 'new@example.com',
    role: 'viewer',
    org: null,
    partner: null,
    expires_at: '2026-11-30T00:00:00.000Z',
    ...more,
  });

  it('names the organisation, or the partner, that invites', async () => {
    expect(await view(() => invitation('open', { org }))).toMatchObject({
      kind: 'open',
      place: 'Harbour Hotel',
    });
    const partner = { name: 'Northwind', slug: 'northwind', brand: {} };
    expect(await view(() => invitation('open', { partner }))).toMatchObject({ place: 'Northwind' });
  });

  it.each(['accepted', 'expired', 'revoked'])('that cannot be accepted says why: %s', async (state) => {
    expect(await view(() => invitation(state, { org }))).toMatchObject({ kind: 'trouble', trouble: state });
  });

  it('nobody sent is unknown', async () => {
    expect(await view(refusing(unknown()))).toMatchObject({
      kind: 'trouble',
      trouble: 'unknown',
      email: null,
    });
  });
});
