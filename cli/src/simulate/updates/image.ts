import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { isEspRefusal, readEspHeader } from '@edgeconductor/sdk/contract';
import type { UpdateOrder } from './order.ts';

/** A virtual device whose image contains this text crashes whenever it boots it, as every device with it would. */
export const CRASHES = 'SIM:CRASH';

/** What a slot holds, as far as a virtual device runs it. */
export interface Slot {
  version: string;
  crashes: boolean;
}

/** Why the bytes are not what the maker signed for this product type, or null when they are. */
export function doubtAbout(
  image: Uint8Array,
  order: UpdateOrder,
  publicKey: string | undefined,
): 'size_mismatch' | 'sha256_mismatch' | 'no_key' | 'bad_signature' | null {
  if (image.length !== order.size) return 'size_mismatch';
  const digest = createHash('sha256').update(image).digest();
  if (digest.toString('hex') !== order.sha256) return 'sha256_mismatch';
  if (publicKey === undefined) return 'no_key';
  const signed = Buffer.concat([digest, Buffer.from(order.version + order.product_type)]);
  return signs(publicKey, signed, order.signature) ? null : 'bad_signature';
}

/** What runs after a boot from the image: it knows its version by itself, whatever the order said. */
export function slotOf(image: Uint8Array, order: UpdateOrder): Slot {
  const header = readEspHeader(image);
  const own = isEspRefusal(header) || header.version === '' ? order.version : header.version;
  const same = own.replace(/^v/i, '') === order.version.replace(/^v/i, '');
  return {
    version: same ? order.version : own,
    crashes: Buffer.from(image.buffer, image.byteOffset, image.byteLength).includes(CRASHES),
  };
}

/** False also for a key or a signature that is none. */
function signs(publicKey: string, data: Buffer, signature: string): boolean {
  try {
    return verify(null, data, keyOf(publicKey), Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}

function keyOf(publicKey: string): KeyObject {
  const x = Buffer.from(publicKey, 'base64').toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}
