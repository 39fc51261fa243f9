import { describe, expect, it } from 'vitest';
import { failureOf, wordsFor } from './auth-failure.ts';

describe('a refusal of the auth server', () => {
  it.each([
    [null, null],
    [{ status: 400, code: 'invalid_credentials' }, 'wrong'],
    [{ status: 403, code: 'otp_expired' }, 'wrong'],
    [{ status: 429 }, 'too_many'],
    [{ status: 429, code: 'over_email_send_rate_limit' }, 'too_many'],
    [{ status: 422, code: 'weak_password' }, 'weak'],
    [{ status: 422, code: 'same_password' }, 'same'],
    [{ status: 400, code: 'reauthentication_needed' }, 'stale'],
    [{ status: 422, code: 'mfa_totp_enroll_not_enabled' }, 'off'],
    [{ status: 502 }, 'unreachable'],
    [{ status: 0 }, 'unreachable'],
    [{}, 'unreachable'],
  ] as const)('%j is %s', (error, failure) => {
    expect(failureOf(error)).toBe(failure);
  });

  it('is said in the words of the form when something typed was wrong', () => {
    expect(wordsFor('wrong', 'That code is too old.')).toEqual({
      status: 400,
      message: 'That code is too old.',
    });
    expect(wordsFor('too_many', 'x').status).toBe(429);
  });
});
