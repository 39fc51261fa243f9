/** ESP32 application images as esptool writes them, and every way in which one can be broken. For tests alone. */
import { createHash } from 'node:crypto';

export interface EspImageOptions {
  version?: string;
  project?: string;
  idf_version?: string;
  /** As in the image header: 0 esp32, 9 esp32s3, 5 esp32c3. */
  chipId?: number;
  /** Bytes of code; the image is about 400 bytes larger. */
  size?: number;
  segments?: number;
  /** SHA-256 behind the image, as esptool does by default. */
  appendHash?: boolean;
  /** Makes two images of the same version differ. */
  fill?: number;
}

const HEADER = 24;
const SEGMENT_HEADER = 8;
const DESCRIPTOR = 256;

/** A whole image that a device of this chip would boot as far as its checksum and hash go. */
export function espImage(options: EspImageOptions = {}): Uint8Array<ArrayBuffer> {
  const { size = 1024, segments = 2, appendHash = true, fill = 0x5a, chipId = 0 } = options;
  const rest = Math.ceil(size / segments / 4) * 4;
  const lengths = Array.from({ length: segments }, (_, n) => (n === 0 ? DESCRIPTOR + rest : rest));
  const code = HEADER + lengths.reduce((sum, length) => sum + SEGMENT_HEADER + length, 0);
  const checksummed = (Math.floor(code / 16) + 1) * 16;
  const image = new Uint8Array(checksummed + (appendHash ? 32 : 0));
  const view = new DataView(image.buffer);
  image.set([0xe9, segments, 2, 0x20], 0);
  view.setUint32(4, 0x4008_1234, true);
  view.setUint16(12, chipId, true);
  view.setUint8(23, appendHash ? 1 : 0);
  let at = HEADER;
  for (const [n, length] of lengths.entries()) {
    view.setUint32(at, 0x3f40_0020 + n * 0x1_0000, true);
    view.setUint32(at + 4, length, true);
    image.fill(fill, at + SEGMENT_HEADER, at + SEGMENT_HEADER + length);
    at += SEGMENT_HEADER + length;
  }
  describe(image, options);
  let checksum = 0xef;
  at = HEADER;
  for (const length of lengths) {
    for (const byte of image.subarray(at + SEGMENT_HEADER, at + SEGMENT_HEADER + length)) checksum ^= byte;
    at += SEGMENT_HEADER + length;
  }
  image[checksummed - 1] = checksum;
  if (appendHash) image.set(sha256(image.subarray(0, checksummed)), checksummed);
  return image;
}

/** Nothing that boots: each is refused for the reason that is its name. */
export const brokenEspImages = {
  empty: (): Uint8Array<ArrayBuffer> => new Uint8Array(),
  /** A PNG. */
  notAnImage: (): Uint8Array<ArrayBuffer> =>
    new Uint8Array([0x89, 0x50, 0x4e, 0x47, ...Array<number>(600).fill(7)]),
  /** The right first byte and nothing of an application behind it, as a bootloader has. */
  bootloader: (): Uint8Array<ArrayBuffer> => {
    const image = espImage();
    image.fill(0, HEADER + SEGMENT_HEADER, HEADER + SEGMENT_HEADER + 4);
    return image;
  },
  /** Ends in the middle of its code. */
  truncated: (options?: EspImageOptions): Uint8Array<ArrayBuffer> => {
    const image = espImage(options);
    return image.slice(0, Math.floor(image.length / 2));
  },
  /** Ends within its header. */
  headerOnly: (): Uint8Array<ArrayBuffer> => espImage().slice(0, 100),
  /** One bit of its code differs from what its own hash says. */
  flipped: (options?: EspImageOptions): Uint8Array<ArrayBuffer> => {
    const image = espImage(options);
    const at = HEADER + SEGMENT_HEADER + DESCRIPTOR + 8;
    image[at] = (image[at] ?? 0) ^ 1;
    return image;
  },
};

/** SHA-256 of a file, as bytes. */
export function sha256(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

function describe(image: Uint8Array, options: EspImageOptions): void {
  const { version = '1.3.0', project = 'climate-node', idf_version = 'v5.3.1' } = options;
  const at = HEADER + SEGMENT_HEADER;
  image.fill(0, at, at + DESCRIPTOR);
  new DataView(image.buffer).setUint32(at, 0xabcd_5432, true);
  const put = (offset: number, text: string): void => {
    image.set(new TextEncoder().encode(text).subarray(0, 31), at + offset);
  };
  put(16, version);
  put(48, project);
  put(80, '12:34:56');
  put(96, 'Jan  2 2026');
  put(112, idf_version);
  image.set(sha256(new TextEncoder().encode(`${project} ${version}`)), at + 144);
}
