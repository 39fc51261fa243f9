/** Why an update ended badly or waits, as devices and the platform put it, in words. */
const REASONS: Readonly<Record<string, string>> = {
  sha256_mismatch: 'The file it received was damaged (wrong SHA-256).',
  no_key: 'It has no key to check the signature with.',
  bad_signature: 'The signature does not match the key it trusts.',
  size_mismatch: 'The file it received was not complete.',
  download_failed: 'It could not download the file.',
  url_expired: 'The link ran out before it could download.',
  wrong_product_type: 'The image is for another product type.',
  crash_loop: 'The new version crashed again and again, so it went back.',
  self_test_failed: 'The new version got no packet through, so it went back.',
  refused: 'It refused the update.',
  retired: 'The device was retired.',
  handed_over: 'The device went to another organisation.',
  busy: 'It was busy.',
};

/** One sentence; what nobody translated is shown as the device said it. */
export function reasonWords(reason: string | null): string {
  if (!reason) return '';
  const known = REASONS[reason];
  if (known) return known;
  const superseded = /^superseded by job #(\d+)$/.exec(reason);
  if (superseded) return `Job #${superseded[1]} took its place.`;
  const deferred = /^deferred: ?(.*)$/.exec(reason);
  if (deferred?.[1] === 'busy') return 'It is busy and asked for more time.';
  if (deferred)
    return deferred[1] ? `It asked for more time: ${readable(deferred[1])}.` : 'It asked for more time.';
  return sentence(readable(reason));
}

const readable = (reason: string): string =>
  /^[a-z0-9_]+$/.test(reason) ? reason.replaceAll('_', ' ') : reason;

function sentence(text: string): string {
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(start) ? start : `${start}.`;
}
