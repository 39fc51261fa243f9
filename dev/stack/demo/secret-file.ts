import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The demo devices' secrets, as a factory would flash them: `<data dir>/demo/secrets.json`, owner only. */
export class SecretFile {
  readonly #path: string;
  readonly #secrets: Map<string, string>;

  constructor(dataDir: string) {
    const folder = join(dataDir, 'demo');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#path = join(folder, 'secrets.json');
    this.#secrets = new Map(Object.entries(readExisting(this.#path)));
  }

  get(serial: string): string | undefined {
    return this.#secrets.get(serial);
  }

  set(serial: string, secret: string): void {
    this.#secrets.set(serial, secret);
  }

  save(): void {
    const temporary = `${this.#path}.new`;
    writeFileSync(temporary, JSON.stringify(Object.fromEntries(this.#secrets), null, 1), { mode: 0o600 });
    renameSync(temporary, this.#path);
  }
}

function readExisting(path: string): Record<string, string> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
  } catch {
    // Missing or cut off: devices without a known secret are given new ones.
    return {};
  }
}
