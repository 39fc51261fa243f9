/** Making and hashing secrets with WebCrypto. Secrets have 256 random bits, so one SHA-256 is enough to look them
 *  up; brokers need the salted PBKDF2 form their password files know. */
import { SECRET_PREFIX } from '@edgeconductor/sdk/contract';

export type SecretKind = keyof typeof SECRET_PREFIX;

/** As stored in device_credentials: what brokers check, and what the HTTPS door looks up. */
export interface SecretHashes {
  secret_sha256: Uint8Array;
  /** `$7$101$<base64 salt>$<base64 hash>`, Mosquitto's PBKDF2-SHA512 form */
  password_hash: string;
  salt: string;
}

const ITERATIONS = 101;
const HASH_BITS = 512;
const SALT_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** `ec_dev_` (or `ec_live_`, `ec_prov_`) and 43 characters. */
export function makeSecret(kind: SecretKind): string {
  return SECRET_PREFIX[kind] + toBase64Url(randomBytes(32));
}

/** Code in a device's QR: 128 random bits. */
export function makeClaimCode(): string {
  return toBase64Url(randomBytes(16));
}

/** Out of an invitation's link: 256 random bits. */
export function makeInvitationToken(): string {
  return toBase64Url(randomBytes(32));
}

export async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}

export async function sha256Hex(text: string): Promise<string> {
  return toHex(await sha256(text));
}

export async function hashSecret(secret: string): Promise<SecretHashes> {
  // 12 ASCII characters: EMQX reads the salt as text, Mosquitto as bytes.
  const salt = Array.from(randomBytes(12), (byte) => SALT_ALPHABET[byte & 63]).join('');
  const bytes = new TextEncoder();
  const key = await crypto.subtle.importKey('raw', bytes.encode(secret), 'PBKDF2', false, ['deriveBits']);
  const parameters = { name: 'PBKDF2', hash: 'SHA-512', salt: bytes.encode(salt), iterations: ITERATIONS };
  const hash = new Uint8Array(await crypto.subtle.deriveBits(parameters, key, HASH_BITS));
  return {
    secret_sha256: await sha256(secret),
    password_hash: `$7$${ITERATIONS}$${btoa(salt)}$${toBase64(hash)}`,
    salt,
  };
}

/** Compares in a time that tells nothing about where the texts differ. */
export function sameText(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => new TextEncoder().encode(text)) as [Uint8Array, Uint8Array];
  let difference = left.length ^ right.length;
  for (let i = 0; i < left.length; i++) difference |= (left[i] ?? 0) ^ (right[i % (right.length || 1)] ?? 0);
  return difference === 0;
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function randomBytes(count: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(count));
}

/** Short ones: the bytes are the arguments of one call. */
export function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
