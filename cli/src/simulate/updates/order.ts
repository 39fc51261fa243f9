/** What a device is told about an update: on `ota` over MQTT, among its commands over HTTPS. */

export interface UpdateOrder {
  url: string;
  version: string;
  job_id: string;
  attempt: number;
  /** Bytes. */
  size: number;
  /** Of the file, hex. */
  sha256: string;
  /** Ed25519 over sha256 (32 bytes) ‖ version ‖ product_type, base64. */
  signature: string;
  product_type: string;
}

/** `null` for anything that is no order. Over HTTPS `url` and `version` are called `fw_url` and `fw_version`. */
export function readOrder(value: unknown): UpdateOrder | null {
  if (typeof value !== 'object' || value === null) return null;
  const told = value as Record<string, unknown>;
  const text = (key: string): string => (typeof told[key] === 'string' ? told[key] : '');
  const count = (key: string): number => (Number.isSafeInteger(told[key]) ? (told[key] as number) : 0);
  const order: UpdateOrder = {
    url: text('url') || text('fw_url'),
    version: text('version') || text('fw_version'),
    job_id: text('job_id'),
    attempt: count('attempt'),
    size: count('size'),
    sha256: text('sha256').toLowerCase(),
    signature: text('signature'),
    product_type: text('product_type'),
  };
  return Object.values(order).every((member) => member !== '' && member !== 0) ? order : null;
}

/** What a device says about an update. Without `state: deferred` the last one of an order is the last word. */
export interface UpdateReport {
  job_id: string;
  attempt: number;
  state: 'downloading' | 'installing' | 'rebooting' | 'deferred' | 'failed' | 'rejected' | 'rolled_back';
  percent?: number;
  reason?: string;
  /** deferred: when to ask again, seconds. */
  retry_s?: number;
}
