import { createHash, randomBytes } from 'node:crypto';

/** A device secret's three forms, shaped like the API's. The PBKDF2 part is random: SQL never computes it. */
export interface DeviceSecret {
  sha256: Buffer;
  passwordHash: string;
  salt: string;
  claim: Buffer;
}

export function makeSecret(): DeviceSecret {
  const salt = randomBytes(9).toString('base64');
  const hash = randomBytes(64).toString('base64');
  return {
    sha256: randomBytes(32),
    passwordHash: `$7$101$${Buffer.from(salt).toString('base64')}$${hash}`,
    salt,
    claim: randomBytes(32),
  };
}

export const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
