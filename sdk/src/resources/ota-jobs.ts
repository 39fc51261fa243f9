import type {
  DeviceOta,
  OtaDeviceState,
  OtaEvent,
  OtaJob,
  OtaJobDevice,
  OtaJobInput,
  OtaJobState,
  OtaPreview,
  OtaTimelineEntry,
} from '../contract/ota-job.ts';
import { list } from '../pagination.ts';
import type { List } from '../pagination.ts';
import { path } from '../request.ts';
import type { RequestOptions, Transport } from '../request.ts';

export interface OtaJobFilter {
  state?: OtaJobState | undefined;
  productType?: string | undefined;
  limit?: number | undefined;
  after?: string | undefined;
}

export interface OtaJobDeviceFilter {
  /** One of these. */
  state?: OtaDeviceState | OtaDeviceState[] | undefined;
  /** Exactly this one. */
  reason?: string | undefined;
  stage?: number | undefined;
  /** Part of the serial number or the name. */
  q?: string | undefined;
  limit?: number | undefined;
  after?: string | undefined;
}

/** Updates of many devices: in stages, stopped by themselves when too many fail. */
export class OtaJobs {
  readonly #transport: Transport;
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Who would be updated in which stage, who would not, and why. */
  preview(orgId: string, job: OtaJobInput, options?: RequestOptions): Promise<OtaPreview> {
    return this.#post(path`/orgs/${orgId}/ota-jobs/preview`, job, options);
  }

  /**
   * @example
   * const job = await ec.otaJobs.create(orgId, {
   *   firmware_id, target: { product_type: 'EC-CLIMATE-V1' }, stages: [{ count: 5, soak_s: 3600 }, { percent: 100 }],
   * });
   */
  create(orgId: string, job: OtaJobInput, options?: RequestOptions): Promise<OtaJob> {
    return this.#post(path`/orgs/${orgId}/ota-jobs`, job, options);
  }

  /** Newest first. */
  list(orgId: string, filter: OtaJobFilter = {}, options?: RequestOptions): List<OtaJob> {
    const { productType, ...rest } = filter;
    const query = { ...rest, product_type: productType };
    return list(this.#transport, path`/orgs/${orgId}/ota-jobs`, query, options);
  }

  async get(id: string, options?: RequestOptions): Promise<OtaJob> {
    const input = { method: 'GET', path: path`/ota-jobs/${id}`, options } as const;
    return (await this.#transport.request<OtaJob>(input)).data;
  }

  /** In the order in which they are updated. */
  devices(id: string, filter: OtaJobDeviceFilter = {}, options?: RequestOptions): List<OtaJobDevice> {
    const { state, ...rest } = filter;
    const query = { ...rest, state: Array.isArray(state) ? state.join(',') : state };
    return list(this.#transport, path`/ota-jobs/${id}/devices`, query, options);
  }

  /** What one device of the job went through, oldest first. */
  async events(id: string, serial: string, options?: RequestOptions): Promise<OtaEvent[]> {
    const at = path`/ota-jobs/${id}/devices/${serial}/events`;
    return (await this.#transport.request<OtaEvent[]>({ method: 'GET', path: at, options })).data;
  }

  /** What the job went through, oldest first. */
  async timeline(id: string, options?: RequestOptions): Promise<OtaTimelineEntry[]> {
    const input = { method: 'GET', path: path`/ota-jobs/${id}/timeline`, options } as const;
    return (await this.#transport.request<OtaTimelineEntry[]>(input)).data;
  }

  /** Nobody else is told; those who are at it go on. @throws ConflictError unless it runs or is scheduled */
  pause(id: string, options?: RequestOptions): Promise<OtaJob> {
    return this.#post(path`/ota-jobs/${id}/pause`, undefined, options);
  }

  /** @throws ConflictError unless it is paused */
  resume(id: string, options?: RequestOptions): Promise<OtaJob> {
    return this.#post(path`/ota-jobs/${id}/resume`, undefined, options);
  }

  /** Ends it for all who were not told yet. @throws ConflictError when it ended already */
  abort(id: string, options?: RequestOptions): Promise<OtaJob> {
    return this.#post(path`/ota-jobs/${id}/abort`, undefined, options);
  }

  /** Tries again with failed, timed out, rolled back and cancelled ones, or with those in `states`. */
  retry(
    id: string,
    { states, ...options }: RequestOptions & { states?: OtaDeviceState[] } = {},
  ): Promise<OtaJob> {
    return this.#post(path`/ota-jobs/${id}/retry`, states === undefined ? {} : { states }, options);
  }

  /** All updates of a device, newest first. */
  forDevice(
    serial: string,
    filter: { limit?: number; after?: string } = {},
    options?: RequestOptions,
  ): List<DeviceOta> {
    return list(this.#transport, path`/devices/${serial}/ota`, { ...filter }, options);
  }

  async #post<T>(at: string, body: unknown, options?: RequestOptions): Promise<T> {
    return (await this.#transport.request<T>({ method: 'POST', path: at, body, options })).data;
  }
}
