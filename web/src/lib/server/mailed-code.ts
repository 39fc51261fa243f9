import { InvalidRequestError } from '@edgeconductor/sdk';
import { redirect, type RequestEvent } from '@sveltejs/kit';
import { connect, connectGuest } from '#lib/api/server.ts';
import { refusalFrom, refusalOf, type Refusal } from './refusal.ts';

const ADDRESS = /^[^\s@]+@[^\s@]+$/;
const CODE = /^\d{6}$/;
const WRONG_CODE = 'That code is wrong or too old. Check the newest mail, or send another code.';

/** A text field, without blanks around it. */
export function field(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value.trim() : '';
}

/** Counts a try of this visitor with that address before it is made; a refusal when there were too many. */
export async function takeAttempt(event: RequestEvent, email: string): Promise<Refusal | null> {
  if (!ADDRESS.test(email))
    return { status: 400, message: 'Enter an email address, such as name@example.com.' };
  try {
    await connectGuest(event).signInAttempt(email, { maxRetries: 0 });
    return null;
  } catch (cause) {
    if (cause instanceof InvalidRequestError)
      return { status: 400, message: 'Enter an email address, such as name@example.com.' };
    return refusalFrom(cause);
  }
}

/** The try was right: its turn comes back, so that an office behind one address can sign in at nine o'clock. */
export async function returnAttempt(event: RequestEvent, email: string): Promise<void> {
  const token = await event.locals.auth.accessToken();
  // A turn that stays counted costs nobody their sign-in.
  if (token)
    await connect(token, event)
      .signInSuccess(email, { maxRetries: 0 })
      .catch(() => undefined);
}

/** Mails six digits. `create`: an address without an account gets one. */
export async function sendCode(
  event: RequestEvent,
  email: string,
  { create }: { create: boolean },
): Promise<Refusal | null> {
  const refused = await takeAttempt(event, email);
  if (refused) return refused;
  const wrong = 'Enter an email address, such as name@example.com.';
  return refusalOf(await event.locals.auth.sendCode(email, { create }), wrong);
}

/** Signs in with them. */
export async function verifyCode(event: RequestEvent, email: string, typed: string): Promise<Refusal | null> {
  const code = typed.replaceAll(/\D/g, '');
  if (!CODE.test(code)) return { status: 400, message: 'The code has six digits.' };
  const refused =
    (await takeAttempt(event, email)) ?? refusalOf(await event.locals.auth.withCode(email, code), WRONG_CODE);
  if (!refused) await returnAttempt(event, email);
  return refused;
}

/** Signed in: to where they wanted to go, by way of their second factor when they have one. */
export async function enter({ locals }: RequestEvent, next: string): Promise<never> {
  if (await locals.auth.secondFactor.isOwed())
    redirect(303, `/sign-in/second-factor?next=${encodeURIComponent(next)}`);
  redirect(303, next);
}
