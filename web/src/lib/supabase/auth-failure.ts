/**
 * Why the auth server said no, as far as a person can do something about it.
 * `stale`: signed in too long ago for this; `weak`: it will not take that password; `same`: it is the present one.
 */
export type AuthFailure = 'wrong' | 'too_many' | 'unreachable' | 'weak' | 'same' | 'stale' | 'off';

interface ErrorLike {
  status?: number | undefined;
  code?: string | undefined;
}

const BY_CODE: Record<string, AuthFailure> = {
  weak_password: 'weak',
  same_password: 'same',
  reauthentication_needed: 'stale',
  reauthentication_not_valid: 'wrong',
  insufficient_aal: 'stale',
  signup_disabled: 'off',
  otp_disabled: 'off',
  mfa_totp_enroll_not_enabled: 'off',
  mfa_totp_verify_not_enabled: 'off',
  over_request_rate_limit: 'too_many',
  over_email_send_rate_limit: 'too_many',
};

/** Null for no error at all. */
export function failureOf(error: ErrorLike | null): AuthFailure | null {
  if (!error) return null;
  const known = error.code === undefined ? undefined : BY_CODE[error.code];
  if (known) return known;
  if (error.status === 429) return 'too_many';
  return error.status !== undefined && error.status >= 400 && error.status < 500 ? 'wrong' : 'unreachable';
}

const WORDS: Record<Exclude<AuthFailure, 'wrong'>, { status: number; message: string }> = {
  too_many: { status: 429, message: 'Too many attempts. Wait a few minutes, then try again.' },
  unreachable: {
    status: 503,
    message: 'The sign-in service does not answer right now. Try again in a moment.',
  },
  weak: {
    status: 422,
    message: 'Choose a stronger password: at least 8 characters, and none that is known from leaks.',
  },
  same: { status: 422, message: 'That is the password you have now. Choose another one.' },
  stale: { status: 403, message: 'For this you have to prove again that it is you.' },
  off: { status: 403, message: 'This installation does not offer that.' },
};

/** Status and sentence for a form; `wrong` says what was wrong in the words of that form. */
export function wordsFor(failure: AuthFailure, wrong: string): { status: number; message: string } {
  return failure === 'wrong' ? { status: 400, message: wrong } : WORDS[failure];
}
