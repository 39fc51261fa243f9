import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Everything secret about one local stack; made once per data folder, so addresses and keys survive restarts. */
export interface Secrets {
  /** Password of every database role of this stack. */
  dbPassword: string;
  /** HS256 secret of Auth's access tokens. */
  jwtSecret: string;
  publishableKey: string;
  secretKey: string;
  /** MQTT password of the bridge's users. */
  bridgePassword: string;
  /** Shared by the database and the `worker` function. */
  workerSecret: string;
  /** With it the web server tells the API which visitor it asks for. */
  webSecret: string;
}

export function loadSecrets(dataDir: string): Secrets {
  const file = join(dataDir, 'secrets.json');
  const known = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<Secrets>) : {};
  const secrets = { ...make(), ...known };
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(secrets, null, 2), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return secrets;
}

function make(): Secrets {
  const token = (bytes: number): string => randomBytes(bytes).toString('base64url');
  return {
    dbPassword: token(18),
    jwtSecret: token(36),
    publishableKey: `sb_publishable_${token(24)}`,
    secretKey: `sb_secret_${token(24)}`,
    bridgePassword: token(18),
    workerSecret: token(24),
    webSecret: token(24),
  };
}
