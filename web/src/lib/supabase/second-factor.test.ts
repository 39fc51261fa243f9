import type { SupabaseClient } from '@supabase/supabase-js';
import { describe, expect, it, vi } from 'vitest';
import { SecondFactor } from './second-factor.ts';

type Mfa = SupabaseClient['auth']['mfa'];

function auth(mfa: Record<string, unknown>, more: Record<string, unknown> = {}) {
  return { mfa: mfa as unknown as Mfa, ...more } as unknown as SupabaseClient['auth'];
}

const factor = (id: string, status: 'verified' | 'unverified') => ({ id, status, created_at: '2026-11-22' });
const lists =
  (...all: ReturnType<typeof factor>[]) =>
  async () => ({
    data: { all, totp: all.filter(({ status }) => status === 'verified') },
    error: null,
  });

describe('the second step of signing in', () => {
  const session = (aal: string, ...factors: { status: string }[]) => ({
    access_token: `e30.${Buffer.from(JSON.stringify({ aal })).toString('base64url')}.x`,
    user: { id: 'u', ...(factors.length > 0 && { factors }) },
  });

  it.each([
    ['somebody without one', session('aal1'), false],
    ['a set-up that was never finished', session('aal1', { status: 'unverified' }), false],
    ['one proof of two', session('aal1', { status: 'verified' }), true],
    ['both proofs', session('aal2', { status: 'verified' }), false],
    ['a token that is none', { ...session('aal2', { status: 'verified' }), access_token: 'x' }, true],
    ['nobody', null, false],
  ])('is owed or not: %s', async (_, stored, owed) => {
    const getSession = async () => ({ data: { session: stored }, error: null });
    expect(await new SecondFactor(auth({}, { getSession }), () => {}).isOwed()).toBe(owed);
  });

  it('takes the digits of any of the person’s apps, and tells that the session became another one', async () => {
    const challengeAndVerify = vi.fn(async ({ factorId }: { factorId: string }) =>
      factorId === 'b'
        ? { data: {}, error: null }
        : { data: null, error: { status: 422, code: 'mfa_verification_failed' } },
    );
    const changed = vi.fn();
    const listFactors = lists(factor('a', 'verified'), factor('b', 'verified'), factor('c', 'verified'));
    const steps = new SecondFactor(auth({ listFactors, challengeAndVerify }), changed);
    expect(await steps.verifyAny('123456')).toBeNull();
    expect(challengeAndVerify.mock.calls.map(([{ factorId }]) => factorId)).toEqual(['a', 'b']);
    expect(changed).toHaveBeenCalled();
  });

  it('stops trying other apps when there were too many tries', async () => {
    const challengeAndVerify = vi.fn(async () => ({ data: null, error: { status: 429 } }));
    const listFactors = lists(factor('a', 'verified'), factor('b', 'verified'));
    expect(await new SecondFactor(auth({ listFactors, challengeAndVerify }), () => {}).verifyAny('1')).toBe(
      'too_many',
    );
    expect(challengeAndVerify).toHaveBeenCalledTimes(1);
  });

  it('drops a set-up somebody left half-way before it begins another', async () => {
    const unenroll = vi.fn(async (_: { factorId: string }) => ({ data: {}, error: null }));
    const enroll = async () => ({
      data: { id: 'new', totp: { qr_code: 'data:image/svg+xml;utf-8,<svg fill="#fff"/>', secret: 'S' } },
      error: null,
    });
    const listFactors = lists(factor('half', 'unverified'), factor('whole', 'verified'));
    const { enrolment } = await new SecondFactor(auth({ listFactors, unenroll, enroll }), () => {}).enrol();
    expect(unenroll.mock.calls).toEqual([[{ factorId: 'half' }]]);
    const qr = 'data:image/svg+xml,%3Csvg%20fill%3D%22%23fff%22%2F%3E';
    expect(enrolment).toEqual({ id: 'new', qr, secret: 'S' });
  });

  it('says so where the installation has switched it off', async () => {
    const enroll = async () => ({ data: null, error: { status: 422, code: 'mfa_totp_enroll_not_enabled' } });
    const steps = new SecondFactor(auth({ listFactors: lists(), enroll }), () => {});
    expect(await steps.enrol()).toEqual({ enrolment: null, failure: 'off' });
  });
});
