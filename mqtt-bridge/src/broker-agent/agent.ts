import type { Queryable } from '../db.ts';
import { Listener } from '../listener.ts';
import { errorText, type Log } from '../log.ts';
import { readMqttCredentials, type LiveCredential } from '../sql/read-mqtt-credentials.ts';
import { BRIDGE_USERS } from '../topics.ts';
import { hashPassword, renderAcl, renderPasswords, writeAtomically } from './files.ts';

const DEBOUNCE_MS = 20;
/** Mosquitto clears its reload flag at the end of a reload, so a signal during one is lost. */
const MIN_RELOAD_GAP_MS = 200;
/** Notifications are hints: this is how old a missed one can get. */
const RESYNC_MS = 60_000;

export interface BrokerAgentOptions {
  db: Queryable;
  dbUrl: string;
  passwordFile: string;
  aclFile: string;
  bridgePassword: string;
  /** Tells Mosquitto to read the files again (SIGHUP). */
  reload(): void;
  log: Log;
}

/** Keeps Mosquitto's password_file and acl_file equal to the database. */
export class BrokerAgent {
  readonly #o: BrokerAgentOptions;
  readonly #users: Map<string, string>;
  readonly #listener: Listener;
  readonly #changed = new Set<string>();
  #devices = new Map<string, string>();
  #everything = true;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #resync: NodeJS.Timeout | undefined;
  #trailing: NodeJS.Timeout | undefined;
  #lastReload = 0;
  #written = '';
  #current = false;
  #stopped = false;

  constructor(options: BrokerAgentOptions) {
    this.#o = options;
    this.#users = new Map(BRIDGE_USERS.map((user) => [user, hashPassword(options.bridgePassword)]));
    this.#listener = new Listener({
      url: options.dbUrl,
      channels: ['ec_credentials'],
      name: 'ec-broker-agent-listen',
      log: options.log,
      onNotify: (serial) => this.#note(serial),
      onReady: () => this.#note(undefined),
    });
  }

  /** False while the files may be older than the database. */
  get healthy(): boolean {
    return this.#current;
  }

  /** Writes both files before it returns, so Mosquitto can start; then follows the database. */
  async start(): Promise<void> {
    await writeAtomically(this.#o.aclFile, renderAcl(this.#users.keys()));
    await this.#sync();
    await this.#listener.start();
    this.#resync = setInterval(() => this.#note(undefined), RESYNC_MS);
  }

  /** Something about this serial changed; without one, anything may have. */
  #note(serial: string | undefined): void {
    if (serial === undefined) this.#everything = true;
    else this.#changed.add(serial);
    if (this.#timer || this.#running || this.#stopped) return;
    const wait = Math.max(DEBOUNCE_MS, this.#lastReload + MIN_RELOAD_GAP_MS - Date.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#running = this.#sync()
        .catch((error) => {
          this.#everything = true;
          this.#current = false;
          this.#o.log('error', 'cannot write broker credentials', { error: errorText(error) });
        })
        .finally(() => {
          this.#running = undefined;
          if (this.#everything || this.#changed.size > 0) this.#note([...this.#changed][0]);
        });
    }, wait);
  }

  async #sync(): Promise<void> {
    const all = this.#everything;
    const serials = [...this.#changed];
    this.#everything = false;
    this.#changed.clear();
    if (all) {
      this.#devices = choose(await readMqttCredentials(this.#o.db));
    } else {
      const found = choose(await readMqttCredentials(this.#o.db, serials));
      for (const serial of serials) {
        const hash = found.get(serial);
        if (hash === undefined) this.#devices.delete(serial);
        else this.#devices.set(serial, hash);
      }
    }
    this.#current = true;
    const text = renderPasswords(this.#users, this.#devices);
    if (text === this.#written) return;
    await writeAtomically(this.#o.passwordFile, text);
    this.#written = text;
    this.#lastReload = Date.now();
    this.#o.reload();
    clearTimeout(this.#trailing);
    this.#trailing = setTimeout(() => this.#o.reload(), 5 * MIN_RELOAD_GAP_MS);
    this.#o.log('info', 'broker credentials written', {
      devices: this.#devices.size,
      changed: serials.length,
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#trailing);
    clearInterval(this.#resync);
    await this.#running;
    await this.#listener.stop();
  }
}

/** A password_file has one line per user: during a rotation's overlap the newest secret wins. */
function choose(newestFirst: LiveCredential[]): Map<string, string> {
  const chosen = new Map<string, string>();
  for (const { serial, password_hash } of newestFirst)
    if (!chosen.has(serial)) chosen.set(serial, password_hash);
  return chosen;
}
