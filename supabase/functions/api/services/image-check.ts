/** Checks an image while it streams by: 32 MB cost some milliseconds and hardly any memory. */
import {
  ESP_HASH_BYTES,
  ESP_HEADER_BYTES,
  EspSegments,
  isEspRefusal,
  readEspHeader,
} from '@edgeconductor/sdk/contract';
import type { EspHeader, FirmwareReason } from '@edgeconductor/sdk/contract';
import { toHex } from '../../_shared/secrets.ts';
import { Sha256 } from '../../_shared/sha256.ts';

export interface ImageFacts {
  size: number;
  /** Of the whole file. */
  sha256: Uint8Array<ArrayBuffer>;
  /** null for a raw file. */
  header: EspHeader | null;
}

/** Why a file is no firmware, in one plain sentence. */
export interface Refusal {
  reason: FirmwareReason;
  detail: string;
}

export function isRefusal(value: object): value is Refusal {
  return 'reason' in value;
}

/** Reads a file to its end, or until it is clear that it is none we take. `raw`: its size alone is checked. */
export async function checkImage(
  file: ReadableStream<Uint8Array>,
  { raw, maxBytes }: { raw: boolean; maxBytes: number },
): Promise<ImageFacts | Refusal> {
  const check = new ImageCheck(raw, maxBytes);
  const reader = file.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return check.end();
      const refusal = check.push(value);
      if (refusal) return refusal;
    }
  } finally {
    // Leaves nothing open when it ended early; after the end it does nothing.
    await reader.cancel().catch(() => {});
  }
}

class ImageCheck {
  readonly #raw: boolean;
  readonly #maxBytes: number;
  readonly #hash = new Sha256();
  readonly #head = new Uint8Array(ESP_HEADER_BYTES);
  /** Behind the image, when it has its own hash there. */
  readonly #ownHash = new Uint8Array(ESP_HASH_BYTES);
  #computed: Uint8Array | null = null;
  #size = 0;
  #header: EspHeader | null = null;
  #segments: EspSegments | null = null;

  constructor(raw: boolean, maxBytes: number) {
    this.#raw = raw;
    this.#maxBytes = maxBytes;
  }

  push(chunk: Uint8Array): Refusal | null {
    if (this.#size + chunk.length > this.#maxBytes)
      return { reason: 'too_large', detail: `Firmware may have at most ${this.#maxBytes} bytes.` };
    const refusal = this.#raw ? null : this.#look(chunk);
    if (refusal) return refusal;
    this.#digest(chunk);
    this.#size += chunk.length;
    return null;
  }

  end(): ImageFacts | Refusal {
    if (this.#size === 0) return { reason: 'empty_file', detail: 'The file is empty.' };
    if (!this.#raw) {
      if (this.#segments === null) {
        const read = readEspHeader(this.#head.subarray(0, this.#size));
        if (isEspRefusal(read)) return read;
      }
      const cut = this.#segments?.end();
      if (cut) return cut;
      if (this.#computed && toHex(this.#computed) !== toHex(this.#ownHash))
        return {
          reason: 'corrupt_image',
          detail: 'The image does not match its own SHA-256: it was changed or damaged on its way.',
        };
    }
    return { size: this.#size, sha256: this.#hash.digest(), header: this.#header };
  }

  /** The header as soon as it is complete, then the segments. */
  #look(chunk: Uint8Array): Refusal | null {
    if (this.#segments) {
      this.#segments.push(chunk);
      return null;
    }
    const room = this.#head.subarray(this.#size, this.#size + chunk.length);
    room.set(chunk.subarray(0, room.length));
    if (this.#size + chunk.length < ESP_HEADER_BYTES) return null;
    const read = readEspHeader(this.#head);
    if (isEspRefusal(read)) return read;
    this.#header = read;
    this.#segments = new EspSegments(read);
    this.#segments.push(this.#head.subarray(0, this.#size));
    this.#segments.push(chunk);
    return null;
  }

  /** The hash of the file is that of the image on its way. */
  #digest(chunk: Uint8Array): void {
    const size = this.#header?.hash_appended ? (this.#segments?.size ?? null) : null;
    const hashAt = size === null ? Infinity : size - ESP_HASH_BYTES - this.#size;
    if (hashAt > 0 && hashAt <= chunk.length) {
      this.#hash.update(chunk.subarray(0, hashAt));
      this.#computed = this.#hash.digest();
      this.#hash.update(chunk.subarray(hashAt));
    } else this.#hash.update(chunk);
    if (hashAt > chunk.length || hashAt <= -ESP_HASH_BYTES) return;
    const piece = chunk.subarray(Math.max(0, hashAt), hashAt + ESP_HASH_BYTES);
    this.#ownHash.set(piece, Math.max(0, -hashAt));
  }
}
