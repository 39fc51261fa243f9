/** What people choose as a CSV file: of any spreadsheet program, in the encoding it happened to write. */

export const MAX_BYTES = 1024 * 1024;

export const SAMPLE = [
  'serial,product_type,name,location,tags,attributes.po',
  'EC-CLM-00001,EC-CLIMATE-V1,Lab climate,Plant / Hall A / Ground floor / Lab,battery;critical,PO-2211',
  'EC-CLM-00002,EC-CLIMATE-V1,Canteen climate,Plant / Hall A / Ground floor / Canteen,,PO-2211',
  '',
].join('\n');

/** Why a file is refused before it is sent; null when it is fine. */
export function tooLarge(bytes: number): string | null {
  if (bytes <= MAX_BYTES) return null;
  return `The file has ${(bytes / MAX_BYTES).toFixed(1)} MB, at most 1 MB is taken. Split it.`;
}

/** UTF-8 with or without a mark, UTF-16 as some programs save it, else Windows-1252. */
export function decodeText(bytes: ArrayBuffer): string {
  const [first, second] = new Uint8Array(bytes);
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
