import type {
  Firmware as FirmwareRow,
  FirmwareCreateInput,
  FirmwareState,
  FirmwareUpload,
} from '../contract/firmware.ts';
import type { OtaJob } from '../contract/ota-job.ts';
import { list } from '../pagination.ts';
import type { List } from '../pagination.ts';
import { path } from '../request.ts';
import type { RequestOptions, Transport } from '../request.ts';

export interface FirmwareFilter {
  orgId?: string | undefined;
  productType?: string | undefined;
  state?: FirmwareState | undefined;
  limit?: number | undefined;
  after?: string | undefined;
}

export interface FirmwareFile extends Omit<FirmwareCreateInput, 'size' | 'filename'> {
  file: Blob | Uint8Array<ArrayBuffer>;
  /** That of a File by default. */
  filename?: string;
  /** Bytes that are on their way to the store: before the first one and after the last. */
  onProgress?: (sent: { loaded: number; total: number }) => void;
}

/** Images, each with the signature its devices check. */
export class Firmware {
  readonly #transport: Transport;
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Newest first. */
  list(filter: FirmwareFilter = {}, options?: RequestOptions): List<FirmwareRow> {
    const { orgId, productType, ...rest } = filter;
    const query = { ...rest, org_id: orgId, product_type: productType };
    return list(this.#transport, '/firmware', query, options);
  }

  async get(id: string, options?: RequestOptions): Promise<FirmwareRow> {
    const input = { method: 'GET', path: path`/firmware/${id}`, options } as const;
    return (await this.#transport.request<FirmwareRow>(input)).data;
  }

  /**
   * Uploads an image and has it checked and signed. The version is that in the image; `raw: true` takes any file
   * and needs `version`.
   * @throws UnprocessableError with `problem.reason`, e.g. wrong_chip · ConflictError for a version that exists
   * @example
   * const { version, sha256 } = await ec.firmware.upload({ product_type: 'EC-CLIMATE-V1', file });
   */
  async upload(input: FirmwareFile, options?: RequestOptions): Promise<FirmwareRow> {
    const { file, filename, onProgress, ...facts } = input;
    const total = file instanceof Uint8Array ? file.length : file.size;
    const named = filename ?? ('name' in file ? String(file.name) : 'firmware.bin');
    const { idempotencyKey, ...rest } = options ?? {};
    // Two requests, so two keys.
    const keyed = (step: string): RequestOptions =>
      idempotencyKey === undefined ? rest : { ...rest, idempotencyKey: `${idempotencyKey}-${step}` };
    const begun = { ...facts, filename: named, size: total };
    const { firmware, upload } = await this.begin(begun, keyed('begin'));
    onProgress?.({ loaded: 0, total });
    await this.#transport.put(upload.url, upload.headers, file, options);
    onProgress?.({ loaded: total, total });
    return this.finish(firmware.id, keyed('finish'));
  }

  /** The first of three steps: the answer says where to PUT the file; then `finish`. */
  async begin(input: FirmwareCreateInput, options?: RequestOptions): Promise<FirmwareUpload> {
    const request = { method: 'POST', path: '/firmware', body: input, options } as const;
    return (await this.#transport.request<FirmwareUpload>(request)).data;
  }

  /** Has the file checked and signed; safe to repeat. @throws UnprocessableError, ConflictError as `upload` */
  async finish(id: string, options?: RequestOptions): Promise<FirmwareRow> {
    const input = { method: 'POST', path: path`/firmware/${id}/finish`, options } as const;
    return (await this.#transport.request<FirmwareRow>(input)).data;
  }

  async updateNotes(id: string, notes: string | null, options?: RequestOptions): Promise<FirmwareRow> {
    const input = { method: 'PATCH', path: path`/firmware/${id}`, body: { notes }, options } as const;
    return (await this.#transport.request<FirmwareRow>(input)).data;
  }

  /** No job can take it any more. @throws ConflictError while an open job does */
  async retire(id: string, options?: RequestOptions): Promise<void> {
    await this.#transport.request({ method: 'DELETE', path: path`/firmware/${id}`, options });
  }

  /** An update of one device: a job with one device in it. */
  async push(
    serial: string,
    firmwareId: string,
    { force, ...options }: RequestOptions & { force?: boolean } = {},
  ): Promise<OtaJob> {
    const body = { firmware_id: firmwareId, ...(force === undefined ? {} : { force }) };
    const input = { method: 'POST', path: path`/devices/${serial}/ota`, body, options } as const;
    return (await this.#transport.request<OtaJob>(input)).data;
  }
}
