import { json, type RequestEvent } from '@sveltejs/kit';
import { refusalOf, type Refusal } from '#lib/server/refusal.ts';
import { returnAttempt, sendCode, takeAttempt, verifyCode } from '#lib/server/mailed-code.ts';
import type { RequestHandler } from './$types';

interface Asked {
  way: 'password' | 'send' | 'code' | 'factor';
  email: string;
  /** Password, mailed digits, or digits of the authenticator app; nothing for `send`. */
  proof: string;
}

const WAYS = new Set<unknown>(['password', 'send', 'code', 'factor']);
const HEADERS = { 'cache-control': 'private, no-store' };

/**
 * Signing in again over a page that stays as it is: {way, email, proof} → {state}, where `state` is signed_in, sent
 * (look into the mail) or second_factor (its digits are still to come); {message} when refused. JSON of this very
 * origin only: another site can neither read nor send it.
 */
export const POST: RequestHandler = async (event) => {
  if (!isOurs(event))
    return json({ message: 'Send this from the app itself.' }, { status: 403, headers: HEADERS });
  const asked = await read(event.request);
  if (!asked) return json({ message: 'Fill in all fields.' }, { status: 400, headers: HEADERS });
  const refused = await attempt(event, asked);
  if (refused) return json({ message: refused.message }, { status: refused.status, headers: HEADERS });
  if (asked.way === 'send') return json({ state: 'sent' }, { headers: HEADERS });
  const owed = await event.locals.auth.secondFactor.isOwed();
  return json({ state: owed ? 'second_factor' : 'signed_in' }, { headers: HEADERS });
};

function isOurs({ request, url }: RequestEvent): boolean {
  const site = request.headers.get('sec-fetch-site');
  const type = request.headers.get('content-type') ?? '';
  const from = site === null ? request.headers.get('origin') === url.origin : site === 'same-origin';
  return from && type.startsWith('application/json');
}

async function read(request: Request): Promise<Asked | null> {
  const body = (await request.json().catch(() => null)) as Partial<Record<keyof Asked, unknown>> | null;
  const { way, email, proof = '' } = body ?? {};
  if (!WAYS.has(way) || typeof email !== 'string' || typeof proof !== 'string') return null;
  if (way !== 'send' && !proof) return null;
  return { way: way as Asked['way'], email: email.trim(), proof };
}

async function attempt(event: RequestEvent, { way, email, proof }: Asked): Promise<Refusal | null> {
  const { auth } = event.locals;
  switch (way) {
    case 'send':
      return sendCode(event, email, { create: false });
    case 'code':
      return verifyCode(event, email, proof);
    case 'factor':
      return refusalOf(await auth.secondFactor.verifyAny(proof), 'That is not what your app shows now.');
    case 'password': {
      const refused =
        (await takeAttempt(event, email)) ??
        refusalOf(await auth.withPassword(email, proof), 'That is not your password.');
      if (!refused) await returnAttempt(event, email);
      return refused;
    }
  }
}
