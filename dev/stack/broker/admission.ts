import { timingSafeEqual } from 'node:crypto';
import type { Client } from 'aedes';
import type { Queryable } from '../../../mqtt-bridge/src/db.ts';
import { Listener } from '../../../mqtt-bridge/src/listener.ts';
import { errorText, type Log } from '../../../mqtt-bridge/src/log.ts';
import { BRIDGE_USERS } from '../../../mqtt-bridge/src/topics.ts';
import { isBridgeUser, isSerial } from './acl.ts';
import { readMqttCredentials } from '../../../mqtt-bridge/src/sql/read-mqtt-credentials.ts';
import { passwordMatches } from './password.ts';

/** Sessions are compared with the database this often even if every notification was lost. */
const RECHECK_MS = 30_000;

export interface AdmissionEvents {
  /** The credential this session logged in with is no longer valid. */
  onKick(client: Client): void;
  /** The device has no valid credential left at all: what was queued for it must go too. */
  onGone(serial: string): void;
}

export interface AdmissionOptions extends AdmissionEvents {
  db: Queryable;
  dbUrl: string;
  bridgePassword: string;
  log: Log;
}

/**
 * Who may hold a session. Passwords are checked against the database at every CONNECT; afterwards only the
 * hash that matched is remembered, so that a revocation ends exactly the sessions that logged in with it.
 */
export class Admission {
  readonly #o: AdmissionOptions;
  readonly #sessions = new Map<string, { client: Client; hash: string }>();
  readonly #listener: Listener;
  readonly #changed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #scheduled: NodeJS.Timeout | undefined;

  constructor(options: AdmissionOptions) {
    this.#o = options;
    this.#listener = new Listener({
      url: options.dbUrl,
      channels: ['ec_credentials'],
      name: 'ec-broker-listen',
      log: options.log,
      onNotify: (serial) => this.#note([serial]),
      // Whatever was revoked while nobody listened.
      onReady: () => this.#note(this.#sessions.keys()),
    });
  }

  async start(): Promise<void> {
    await this.#listener.start();
    this.#timer = setInterval(() => this.#note(this.#sessions.keys()), RECHECK_MS);
  }

  async authenticate(client: Client, user: string, password: Readonly<Buffer> | undefined): Promise<boolean> {
    const secret = Buffer.from(password ?? '');
    if (isBridgeUser(user)) {
      const expected = Buffer.from(this.#o.bridgePassword);
      const known = (BRIDGE_USERS as readonly string[]).includes(user);
      return known && secret.length === expected.length && timingSafeEqual(secret, expected);
    }
    if (!isSerial(user) || secret.length === 0 || secret.length > 512) return false;
    for (const { password_hash } of await readMqttCredentials(this.#o.db, [user])) {
      if (!(await passwordMatches(password_hash, secret))) continue;
      this.#sessions.set(user, { client, hash: password_hash });
      // A revocation may have arrived between the reading and this line: look once more.
      this.#note([user]);
      this.#o.db
        .query('select ec.mark_device_authenticated($1)', [user])
        .catch((error) =>
          this.#o.log('warn', 'cannot note first use', { serial: user, error: errorText(error) }),
        );
      return true;
    }
    return false;
  }

  left(client: Client): void {
    if (this.#sessions.get(client.id)?.client === client) this.#sessions.delete(client.id);
  }

  #note(serials: Iterable<string>): void {
    for (const serial of serials) this.#changed.add(serial);
    if (this.#changed.size > 0) this.#scheduled ??= setTimeout(() => void this.#recheck(), 20);
  }

  async #recheck(): Promise<void> {
    const serials = [...this.#changed];
    this.#changed.clear();
    this.#scheduled = undefined;
    try {
      const valid = await readMqttCredentials(this.#o.db, serials);
      for (const serial of serials) {
        const session = this.#sessions.get(serial);
        const hashes = valid.filter((c) => c.serial === serial).map((c) => c.password_hash);
        if (session && !hashes.includes(session.hash)) {
          this.#sessions.delete(serial);
          this.#o.onKick(session.client);
        }
        if (hashes.length === 0) this.#o.onGone(serial);
      }
    } catch (error) {
      // Nobody is kicked on a guess; the check comes back by itself until the database answers.
      this.#o.log('warn', 'cannot re-check sessions', { error: errorText(error) });
      setTimeout(() => this.#note(serials), 1_000);
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    clearTimeout(this.#scheduled);
    await this.#listener.stop();
  }
}
