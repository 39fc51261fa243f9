import { ESP_HEADER_BYTES, isEspRefusal, readEspHeader, type EspHeader } from '@edgeconductor/sdk';
import { fileSize } from '#lib/firmware/sizes.ts';

const MAX_BYTES = 32 * 1_048_576;

/** A file somebody wants to upload, and what its first bytes say. */
export interface ImageFile {
  file: File;
  /** Null for a file that is no ESP32 image. */
  header: EspHeader | null;
  /** Why it cannot be uploaded, whatever it is. */
  impossible: string | null;
  /** Why it is no image: it can go up as a raw file all the same. */
  complaint: string | null;
}

/** Reads the first bytes only: nothing is sent, and a large file costs no memory. */
export async function readImage(file: File): Promise<ImageFile> {
  if (file.size === 0) return { file, header: null, impossible: 'The file is empty.', complaint: null };
  if (file.size > MAX_BYTES) {
    const impossible = `The file has ${fileSize(file.size)}; at most 32 MB can be uploaded.`;
    return { file, header: null, impossible, complaint: null };
  }
  const bytes = new Uint8Array(await file.slice(0, ESP_HEADER_BYTES).arrayBuffer());
  const found = readEspHeader(bytes);
  if (isEspRefusal(found)) return { file, header: null, impossible: null, complaint: found.detail };
  return { file, header: found, impossible: null, complaint: null };
}
