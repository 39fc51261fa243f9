const MEBIBYTE = 1_048_576;
const format = new Intl.NumberFormat('en', { maximumFractionDigits: 1, minimumFractionDigits: 1 });

/** "1.4 MB", "812 KB": sizes of files as people know them from their desk. */
export function fileSize(bytes: number): string {
  if (bytes >= MEBIBYTE) return `${format.format(bytes / MEBIBYTE)} MB`;
  return bytes >= 1024 ? `${Math.round(bytes / 1024)} KB` : `${bytes} bytes`;
}
