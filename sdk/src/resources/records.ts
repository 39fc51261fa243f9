import type { AuditEntry } from '../contract/audit.ts';
import type { DeadLetter } from '../contract/dead-letter.ts';
import type { RejectReason } from '../contract/packet-limits.ts';
import { list } from '../pagination.ts';
import type { List } from '../pagination.ts';
import { path } from '../request.ts';
import type { RequestOptions, Transport } from '../request.ts';

export interface AuditFilter {
  action?: string | undefined;
  /** Part of an e-mail, key name or serial. */
  actor?: string | undefined;
  /** Serial or id of what was changed. */
  target?: string | undefined;
  /** ISO 8601 or epoch milliseconds. */
  from?: string | number | undefined;
  to?: string | number | undefined;
  limit?: number | undefined;
  after?: string | undefined;
}

/** Who did what. */
export class Audit {
  readonly #transport: Transport;
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Newest first. */
  list(orgId: string, filter: AuditFilter = {}, options?: RequestOptions): List<AuditEntry> {
    return list(this.#transport, path`/orgs/${orgId}/audit`, { ...filter }, options);
  }

  /** The same as text/csv, up to 10,000 lines. */
  csv(
    orgId: string,
    filter: Omit<AuditFilter, 'limit' | 'after'> = {},
    options?: RequestOptions,
  ): Promise<string> {
    const query = { ...filter, format: 'csv' };
    return this.#transport.requestText({ method: 'GET', path: path`/orgs/${orgId}/audit`, query, options });
  }
}

export interface DeadLetterFilter {
  reason?: RejectReason;
  serial?: string;
  limit?: number;
  after?: string;
}

/** Packets that were refused, and why. */
export class DeadLetters {
  readonly #transport: Transport;
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Newest first. */
  list(orgId: string, filter: DeadLetterFilter = {}, options?: RequestOptions): List<DeadLetter> {
    return list(this.#transport, path`/orgs/${orgId}/dead-letters`, { ...filter }, options);
  }

  /** Of one device, newest first. */
  ofDevice(
    serial: string,
    filter: Omit<DeadLetterFilter, 'serial'> = {},
    options?: RequestOptions,
  ): List<DeadLetter> {
    return list(this.#transport, path`/devices/${serial}/dead-letters`, { ...filter }, options);
  }
}
