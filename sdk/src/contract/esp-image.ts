/**
 * What an application image for an ESP32 says about itself. Pure and without dependencies: the API checks uploads
 * with it while they stream by, the CLI and the browser read it before they upload anything.
 *
 * Layout: header (24 bytes: magic, segment count, …, chip id at 12, "hash appended" at 23), then segments of
 * {load address, length, data}; the first one begins with the app descriptor, at byte 32 of the file. After the
 * last segment zeros up to byte 15 of a line of 16, the checksum in it, and, when appended, a SHA-256 of all before.
 */

/** So many bytes from the start hold everything `readEspHeader` reads. */
export const ESP_HEADER_BYTES = 288;
export const ESP_HASH_BYTES = 32;

const IMAGE_MAGIC = 0xe9;
const DESCRIPTOR_MAGIC = 0xabcd5432;
const DESCRIPTOR = 32;
const FIRST_SEGMENT = 24;
const SEGMENT_HEADER = 8;
const MAX_SEGMENTS = 16;

/** Chip id in the image header → its name. */
export const ESP_CHIPS: Readonly<Record<number, string>> = {
  0: 'esp32',
  2: 'esp32s2',
  5: 'esp32c3',
  9: 'esp32s3',
  12: 'esp32c2',
  13: 'esp32c6',
  16: 'esp32h2',
  18: 'esp32p4',
  20: 'esp32c61',
  23: 'esp32c5',
  25: 'esp32h21',
  28: 'esp32h4',
};

export interface EspHeader {
  /** Name of the chip, `chip-<id>` for one that is not known here. */
  chip: string;
  segments: number;
  /** The last 32 bytes are the SHA-256 of all before them. */
  hash_appended: boolean;
  secure_version: number;
  /** As compiled into it, up to 31 characters; may be empty. */
  version: string;
  project: string;
  idf_version: string;
  /** Date and time of the build, as the compiler wrote them. */
  built: string;
}

export type EspReason = 'not_an_image' | 'truncated_image';

/** Why bytes are no whole image, in one sentence. */
export interface EspRefusal {
  reason: EspReason;
  detail: string;
}

/** Reads the first `ESP_HEADER_BYTES` of a file; more bytes do no harm. */
export function readEspHeader(bytes: Uint8Array): EspHeader | EspRefusal {
  if (bytes.length > 0 && bytes[0] !== IMAGE_MAGIC) {
    return refuse('not_an_image', 'This is no ESP32 application image: it does not begin with 0xE9.');
  }
  if (bytes.length < ESP_HEADER_BYTES) {
    return refuse('truncated_image', `The file ends within the image header, after ${bytes.length} bytes.`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(DESCRIPTOR, true) !== DESCRIPTOR_MAGIC) {
    return refuse(
      'not_an_image',
      'The image has no application descriptor: a bootloader, a partition table or a merged image is no update.',
    );
  }
  const segments = view.getUint8(1);
  if (segments === 0 || segments > MAX_SEGMENTS) {
    return refuse('not_an_image', `An image has 1 to ${MAX_SEGMENTS} segments, this one says ${segments}.`);
  }
  const chip = view.getUint16(12, true);
  return {
    chip: ESP_CHIPS[chip] ?? `chip-${chip}`,
    segments,
    hash_appended: view.getUint8(23) === 1,
    secure_version: view.getUint32(DESCRIPTOR + 4, true),
    version: text(bytes, DESCRIPTOR + 16, 32),
    project: text(bytes, DESCRIPTOR + 48, 32),
    built: `${text(bytes, DESCRIPTOR + 96, 16)} ${text(bytes, DESCRIPTOR + 80, 16)}`.trim(),
    idf_version: text(bytes, DESCRIPTOR + 112, 32),
  };
}

export function isEspRefusal(value: EspHeader | EspRefusal): value is EspRefusal {
  return 'reason' in value;
}

/** Follows the segments of an image whose pieces come one after another; keeps a few bytes, however large it is. */
export class EspSegments {
  readonly #count: number;
  readonly #hashAppended: boolean;
  readonly #header = new Uint8Array(SEGMENT_HEADER);
  #held = 0;
  #read = 0;
  #done = 0;
  /** Where the next segment header begins. */
  #next = FIRST_SEGMENT;

  constructor({ segments, hash_appended }: Pick<EspHeader, 'segments' | 'hash_appended'>) {
    this.#count = segments;
    this.#hashAppended = hash_appended;
  }

  push(chunk: Uint8Array): void {
    const end = this.#read + chunk.length;
    while (this.#done < this.#count && this.#next + this.#held < end) {
      const from = this.#next + this.#held - this.#read;
      const piece = chunk.subarray(from, from + SEGMENT_HEADER - this.#held);
      this.#header.set(piece, this.#held);
      this.#held += piece.length;
      if (this.#held < SEGMENT_HEADER) break;
      this.#next += SEGMENT_HEADER + new DataView(this.#header.buffer).getUint32(4, true);
      this.#held = 0;
      this.#done++;
    }
    this.#read = end;
  }

  /** Bytes of the whole image; null as long as not every segment header went by. */
  get size(): number | null {
    if (this.#done < this.#count) return null;
    const checksummed = (Math.floor(this.#next / 16) + 1) * 16;
    return checksummed + (this.#hashAppended ? ESP_HASH_BYTES : 0);
  }

  /** After the last piece: null when the whole image was there. Signatures of secure boot may follow it. */
  end(): EspRefusal | null {
    const { size } = this;
    if (size === null || size > this.#read) {
      const whole = size === null ? 'all its segments' : `${size} bytes`;
      return refuse('truncated_image', `The file ends after ${this.#read} bytes, the image has ${whole}.`);
    }
    return null;
  }
}

function refuse(reason: EspReason, detail: string): EspRefusal {
  return { reason, detail };
}

/** Text that ends with the first zero; what is no printable ASCII is left out. */
function text(bytes: Uint8Array, from: number, length: number): string {
  const field = bytes.subarray(from, from + length);
  const zero = field.indexOf(0);
  const end = zero < 0 ? length : zero;
  return String.fromCharCode(...field.subarray(0, end).filter((byte) => byte >= 0x20 && byte < 0x7f)).trim();
}
