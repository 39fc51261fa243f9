/** SHA-256 of what comes in pieces: WebCrypto takes whole buffers only. Deno, hosted or not, has node:crypto. */
import { createHash } from 'node:crypto';

export class Sha256 {
  readonly #hash: ReturnType<typeof createHash>;

  constructor(hash = createHash('sha256')) {
    this.#hash = hash;
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  /** Of all bytes so far; more may follow. */
  digest(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#hash.copy().digest());
  }
}
