/** What firmware is signed with: a key pair for each product type and its maker, made at the first need. Devices keep
 *  the public half for good, so it never changes; the private one is only ever here, for as long as it signs. */
import type { SigningKey } from '@edgeconductor/sdk/contract';
import { asApi } from '../../_shared/db.ts';
import type { Db } from '../../_shared/db.ts';
import { fromBase64, toBase64 } from '../../_shared/secrets.ts';
import { requireOrg } from './rights.ts';

/** Both base64: 32 bytes, and PKCS #8. */
interface KeyPair {
  public_key: string;
  private_key: string;
}

export interface KeyOwner {
  product_type: string;
  maker_org_id: string;
}

/** What devices of this type and maker check firmware with. */
export async function publicKeyOf(db: Db, owner: KeyOwner): Promise<string> {
  return (await keyPair(db, owner)).public_key;
}

/** Ed25519 over `message`, base64. */
export async function sign(db: Db, owner: KeyOwner, message: Uint8Array<ArrayBuffer>): Promise<string> {
  const { private_key } = await keyPair(db, owner);
  const key = await crypto.subtle.importKey('pkcs8', fromBase64(private_key), 'Ed25519', false, ['sign']);
  return toBase64(new Uint8Array(await crypto.subtle.sign('Ed25519', key, message)));
}

/** What the signature of an image is over: its hash, then version and product type as UTF-8. */
export function signedMessage(
  sha256: Uint8Array,
  version: string,
  productType: string,
): Uint8Array<ArrayBuffer> {
  return new Uint8Array([...sha256, ...new TextEncoder().encode(version + productType)]);
}

/** The public halves of what an org makes. */
export async function listSigningKeys(db: Db, orgId: string): Promise<SigningKey[]> {
  await requireOrg(db, orgId, 'read');
  return db<SigningKey[]>`
    select k.product_type, k.public_key, k.created_at from public.product_type_keys k
    where k.maker_org_id = ${orgId} order by k.product_type`;
}

async function keyPair(db: Db, { product_type, maker_org_id }: KeyOwner): Promise<KeyPair> {
  return asApi(db, async () => {
    const [known] = await db<{ pair: KeyPair | null }[]>`
      select ec.signing_key(${product_type}, ${maker_org_id}::uuid) as pair`;
    if (known?.pair) return known.pair;
    const made = await makeKeyPair();
    // Of two that make one at the same time both get the first.
    const [stored] = await db<{ pair: KeyPair }[]>`
      select ec.store_signing_key(${product_type}, ${maker_org_id}::uuid, ${made.public_key}, ${made.private_key}) as pair`;
    return (stored as { pair: KeyPair }).pair;
  });
}

async function makeKeyPair(): Promise<KeyPair> {
  const pair = (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair;
  const [open, secret] = await Promise.all([
    crypto.subtle.exportKey('raw', pair.publicKey),
    crypto.subtle.exportKey('pkcs8', pair.privateKey),
  ]);
  return { public_key: toBase64(new Uint8Array(open)), private_key: toBase64(new Uint8Array(secret)) };
}
