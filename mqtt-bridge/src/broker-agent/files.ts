import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { open, rename } from 'node:fs/promises';

const SERIAL = /^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$/;
const HASH = /^\$7\$\d{1,7}\$[A-Za-z0-9+/=]{8,64}\$[A-Za-z0-9+/=]{20,128}$/;
/** mosquitto_passwd's own number; the secrets are 160 random bits, so stretching them adds nothing. */
const ITERATIONS = 101;

/** Mosquitto's `$7$` form (PBKDF2-SHA512) of a password. */
export function hashPassword(password: string): string {
  const salt = randomBytes(12);
  const key = pbkdf2Sync(password, salt, ITERATIONS, 64, 'sha512');
  return `$7$${ITERATIONS}$${salt.toString('base64')}$${key.toString('base64')}`;
}

/** The password_file. A line that is not exactly a serial and a hash is left out: it could smuggle in another. */
export function renderPasswords(users: Map<string, string>, devices: Map<string, string>): string {
  let text = '';
  for (const [name, hash] of users) text += `${name}:${hash}\n`;
  for (const [serial, hash] of devices) {
    if (SERIAL.test(serial) && HASH.test(hash)) text += `${serial}:${hash}\n`;
  }
  return text;
}

/** The acl_file: a device reaches its own topics by pattern, the bridge's users everything below devices/ and their own notes. */
export function renderAcl(bridgeUsers: Iterable<string>): string {
  const device = [
    ...['telemetry', 'shadow/reported', 'shadow/get', 'ota/status', 'cmd/ack', 'status'].map(
      (kind) => `pattern write devices/%u/${kind}`,
    ),
    ...['shadow/desired', 'shadow/document', 'config', 'ota', 'cmd'].map(
      (kind) => `pattern read devices/%u/${kind}`,
    ),
  ];
  const bridge = [...bridgeUsers].flatMap((user) => [
    `user ${user}`,
    'topic readwrite devices/#',
    'topic readwrite ec/bridge/#',
    'topic read $SYS/#',
  ]);
  return [...bridge, ...device, ''].join('\n');
}

/** Replaces a file so that a reader sees the old one or the new one, never a part. */
export async function writeAtomically(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
