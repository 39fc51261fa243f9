import type {
  Claimed,
  ClaimCodeIssued,
  ClaimCodeStatus,
  ClaimPreview,
  ClaimPreviewRequest,
  ClaimRequest,
  Tenure,
} from '../contract/claim.ts';
import type { Device } from '../contract/device.ts';
import { path } from '../request.ts';
import type { RequestOptions, Transport } from '../request.ts';

/** Claiming devices by the code of their QR, and the codes. */
export class Claims {
  readonly #transport: Transport;
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * What a scanned code stands for; needs no credential.
   * @throws NotFoundError for a code never issued for this serial · RateLimitError after ten of them
   */
  async preview(claim: ClaimPreviewRequest, options?: RequestOptions): Promise<ClaimPreview> {
    const input = { method: 'POST', path: '/claims/preview', body: claim, options } as const;
    return (await this.#transport.request<ClaimPreview>(input)).data;
  }

  /**
   * Into the organisation `org_id`, or into the caller's portal without it. Safe to repeat.
   * @throws ConflictError already_used or expired, with `problem.reason` · PermissionDeniedError plan_limit
   */
  async claim(claim: ClaimRequest, options?: RequestOptions): Promise<Claimed> {
    const input = { method: 'POST', path: '/claims', body: claim, options } as const;
    return (await this.#transport.request<Claimed>(input)).data;
  }

  /** How the newest code of a device stands. */
  async status(serial: string, options?: RequestOptions): Promise<ClaimCodeStatus> {
    const input = { method: 'GET', path: path`/devices/${serial}/claim-code`, options } as const;
    return (await this.#transport.request<ClaimCodeStatus>(input)).data;
  }

  /** A new code, in this reply alone; the one before ends. */
  async reissue(serial: string, options?: RequestOptions): Promise<ClaimCodeIssued> {
    const input = { method: 'POST', path: path`/devices/${serial}/claim-code`, options } as const;
    return (await this.#transport.request<ClaimCodeIssued>(input)).data;
  }

  /** Gives a device back; null when it is out of the caller's sight with that. */
  async unclaim(serial: string, options?: RequestOptions): Promise<Device | null> {
    const input = { method: 'POST', path: path`/devices/${serial}/unclaim`, options } as const;
    return (await this.#transport.request<Device | undefined>(input)).data ?? null;
  }

  /** Who had it when, newest first. */
  async tenures(serial: string, options?: RequestOptions): Promise<Tenure[]> {
    const input = { method: 'GET', path: path`/devices/${serial}/tenures`, options } as const;
    return (await this.#transport.request<Tenure[]>(input)).data;
  }
}
