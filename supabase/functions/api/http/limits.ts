/** What may be asked only so often, whoever asks: doors where secrets could be guessed, and the registering of devices. */
import type { Surroundings } from '../surroundings.ts';
import { limitAddress } from './client-address.ts';
import type { Turn } from './rate-limit.ts';
import type { AddressLimit, Limits } from './route.ts';

const QUARTER_S = 900;

export const ADDRESS_LIMITS = {
  claim: { name: 'claim', limit: 30, windowS: QUARTER_S },
  invitation: { name: 'invitation', limit: 30, windowS: QUARTER_S },
  sign_in: { name: 'sign-in', limit: 100, windowS: QUARTER_S },
  /** Right and wrong links alike: the thousands of devices of a site come from one address. */
  firmware: { name: 'firmware', limit: 6000, windowS: 60 },
  register: { name: 'register', limit: 600, windowS: 60 },
} as const satisfies Record<string, AddressLimit>;

/** At one code from anywhere, or at one account from one address. */
const TRIES = { limit: 10, windowS: QUARTER_S };

/** The turns a request has to take. A caller without an address shares the turns of all such callers. */
export async function turnsOf<P, B>(
  limits: Limits<P, B> | undefined,
  around: Surroundings,
  input: { params: P; body: B; address: string | null },
): Promise<Turn[]> {
  if (limits === undefined) return [];
  const { name, ...often } = limits.address;
  const turns: Turn[] = [];
  if (limits.secret) turns.push({ key: `try:${name}:${limits.secret(input)}`, ...TRIES });
  if (!around.env.addressLimits) return turns;
  const key = `address:${name}:${input.address === null ? 'unknown' : limitAddress(input.address)}`;
  if (limits.account) turns.push({ key: `${key}:${await limits.account(input)}`, ...TRIES });
  turns.push({ key, ...often });
  return turns;
}
