import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Flash, type FlashContent } from '../../../cli/src/simulate/index.ts';

/** What the demo devices keep when the stack stops: `<data dir>/demo/flash.json`. A board does not forget its update. */
export class FlashFile {
  readonly #path: string;
  readonly #contents: Record<string, FlashContent>;

  constructor(dataDir: string) {
    const folder = join(dataDir, 'demo');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#path = join(folder, 'flash.json');
    this.#contents = readExisting(this.#path);
  }

  /** The flash of a device; a new one holds the version that left the factory. */
  of(serial: string, version: string): Flash {
    return new Flash(version, this.#contents[serial], (content) => {
      this.#contents[serial] = content;
      writeFileSync(`${this.#path}.new`, JSON.stringify(this.#contents), { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
    });
  }
}

function readExisting(path: string): Record<string, FlashContent> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, FlashContent>;
  } catch {
    // Missing or cut off: every device as it left the factory.
    return {};
  }
}
