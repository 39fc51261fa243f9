import type { BulkAssignReply } from '../contract/bulk.ts';
import type { Command } from '../contract/command.ts';
import type { DeviceDiagnostics } from '../contract/device-diagnostics.ts';
import type { DeviceShadow, ShadowChange } from '../contract/shadow.ts';
import type { DeviceImportReply } from '../contract/import.ts';
import type { BulkRegisterReply, RegisterReply, RegisterRequestInput } from '../contract/register.ts';
import type {
  Device,
  DevicePatch,
  DeviceSort,
  DeviceStatus,
  Lifecycle,
  ShadowDocument,
} from '../contract/device.ts';
import { list } from '../pagination.ts';
import type { List } from '../pagination.ts';
import { path } from '../request.ts';
import type { Query, RequestOptions, Transport } from '../request.ts';

export interface DeviceFilter {
  orgId?: string | undefined;
  /** The room, or any location above it. */
  roomId?: string | undefined;
  /** Older name of roomId. */
  tenantId?: string | undefined;
  productType?: string | undefined;
  fwVersion?: string | undefined;
  status?: DeviceStatus | undefined;
  lifecycle?: Lifecycle | undefined;
  tag?: string | undefined;
  /** Part of the serial number or the name. */
  q?: string | undefined;
  sort?: DeviceSort | undefined;
  limit?: number | undefined;
  after?: string | undefined;
  before?: string | undefined;
}

export interface DesiredOptions extends RequestOptions {
  /** Only when desired still has this version, else ConflictError stale_version with the present one. */
  ifVersion?: number | undefined;
  /** At most 64 bytes; comes back in the answer and in the message to the device. */
  clientToken?: string | undefined;
}

export class Devices {
  readonly #transport: Transport;
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Registers a device; safe to repeat. The first reply holds the secret (`mqtt_password`), later ones do as long as
   * the device never used it. `orgId` is needed by people who may register for several organisations.
   *
   * @throws ConflictError serial_taken · UnprocessableError for an unknown product type
   * @example
   * const { mqtt_password } = await ec.devices.register({ serial_no: 'EC-CLM-001', product_type: 'EC-CLIMATE-V1' });
   */
  async register(
    device: RegisterRequestInput,
    options?: RequestOptions & { orgId?: string },
  ): Promise<RegisterReply> {
    const query = { org_id: options?.orgId };
    return (
      await this.#transport.request<RegisterReply>({
        method: 'POST',
        path: '/devices/register',
        query,
        body: device,
        options,
      })
    ).data;
  }

  /** Up to 500 at once, each with its own result. */
  async registerMany(
    devices: RegisterRequestInput[],
    options?: RequestOptions & { orgId?: string },
  ): Promise<BulkRegisterReply> {
    const query = { org_id: options?.orgId };
    return (
      await this.#transport.request<BulkRegisterReply>({
        method: 'POST',
        path: '/devices/bulk',
        query,
        body: { devices },
        options,
      })
    ).data;
  }

  list(filter: DeviceFilter = {}, options?: RequestOptions): List<Device> {
    return list(this.#transport, '/devices', filterQuery(filter), options);
  }

  /** The same as text/csv, up to 10,000 lines; an import takes it back. */
  csv(filter: DeviceFilter = {}, options?: RequestOptions): Promise<string> {
    const query = { ...filterQuery(filter), format: 'csv' };
    return this.#transport.requestText({ method: 'GET', path: '/devices', query, options });
  }

  /** @throws NotFoundError */
  async get(serial: string, options?: RequestOptions): Promise<Device> {
    return (await this.#transport.request<Device>({ method: 'GET', path: path`/devices/${serial}`, options }))
      .data;
  }

  /**
   * How it is, each part with a verdict in words and what to do about it. A part it never told of is null.
   * @example
   * const { battery } = await ec.devices.diagnostics('EC-CLM-001');
   * console.log(battery?.percent, battery?.verdict.text);
   */
  async diagnostics(
    serial: string,
    query: { hours?: 6 | 24 | 168 } = {},
    options?: RequestOptions,
  ): Promise<DeviceDiagnostics> {
    const input = { method: 'GET', path: path`/devices/${serial}/diagnostics`, query, options } as const;
    return (await this.#transport.request<DeviceDiagnostics>(input)).data;
  }

  /** What the device last reported, all keys. */
  async getShadow(serial: string, options?: RequestOptions): Promise<ShadowDocument> {
    return (await this.get(serial, options)).shadow_reported;
  }

  /**
   * Merges a patch into what the device should be: null removes a key, arrays are replaced. The device confirms by
   * reporting the same; until then the key is in `delta`.
   * @throws ConflictError stale_version with `problem.desired_version` · PermissionDeniedError for keys a customer may not set
   * @example
   * const { delta } = await ec.devices.setDesired('EC-CLM-001', { relay: true, setpoint: 22 });
   */
  async setDesired(
    serial: string,
    patch: ShadowDocument,
    { ifVersion, clientToken, ...options }: DesiredOptions = {},
  ): Promise<DeviceShadow> {
    const headers = {
      ...(ifVersion === undefined ? {} : { 'if-match': String(ifVersion) }),
      ...(clientToken === undefined ? {} : { 'x-client-token': clientToken }),
    };
    const at = path`/devices/${serial}/shadow/desired`;
    const input = { method: 'PATCH', path: at, body: patch, headers, options } as const;
    return (await this.#transport.request<DeviceShadow>(input)).data;
  }

  /** The same under the name of the published examples. */
  pushConfig(serial: string, config: ShadowDocument, options?: DesiredOptions): Promise<DeviceShadow> {
    return this.setDesired(serial, config, options);
  }

  /** Who changed which desired keys, newest first. */
  shadowHistory(
    serial: string,
    filter: { limit?: number; after?: string } = {},
    options?: RequestOptions,
  ): List<ShadowChange> {
    return list(this.#transport, path`/devices/${serial}/shadow/history`, { ...filter }, options);
  }

  /** Restarts it now, or when it is back within the hour. */
  async reboot(serial: string, options?: RequestOptions): Promise<Command> {
    const input = { method: 'POST', path: path`/devices/${serial}/reboot`, options } as const;
    return (await this.#transport.request<Command>(input)).data;
  }

  /** Absent fields stay; null in `attributes` removes a key. */
  async update(serial: string, patch: DevicePatch, options?: RequestOptions): Promise<Device> {
    const input = { method: 'PATCH', path: path`/devices/${serial}`, body: patch, options } as const;
    return (await this.#transport.request<Device>(input)).data;
  }

  /** Into another organisation and/or a room; `roomId: null` takes it out of its room. */
  assign(
    serial: string,
    to: { orgId?: string; roomId?: string | null },
    options?: RequestOptions,
  ): Promise<Device> {
    return this.update(serial, assignment(to), options);
  }

  /** Up to 500 devices of an organisation into a room, out of it, or to another organisation; a result for each. */
  async assignMany(
    orgId: string,
    serials: string[],
    to: { orgId?: string; roomId?: string | null },
    options?: RequestOptions,
  ): Promise<BulkAssignReply> {
    const body = { serials, ...assignment(to) };
    const input = { method: 'POST', path: path`/orgs/${orgId}/devices/assign`, body, options } as const;
    return (await this.#transport.request<BulkAssignReply>(input)).data;
  }

  /** Creates and updates devices by the lines of a spreadsheet; `dryRun` only tells what would happen. */
  async importCsv(
    orgId: string,
    csv: string,
    options: RequestOptions & { dryRun: boolean },
  ): Promise<DeviceImportReply> {
    const body = { csv, dry_run: options.dryRun };
    const input = { method: 'POST', path: path`/orgs/${orgId}/devices/import`, body, options } as const;
    return (await this.#transport.request<DeviceImportReply>(input)).data;
  }

  /** Retires it: its secrets end, its history stays. An active device needs `force`. */
  async delete(serial: string, options?: RequestOptions & { force?: boolean }): Promise<void> {
    const query = { force: options?.force ? true : undefined };
    await this.#transport.request({ method: 'DELETE', path: path`/devices/${serial}`, query, options });
  }
}

function assignment(to: { orgId?: string; roomId?: string | null }): DevicePatch {
  return {
    ...(to.orgId === undefined ? {} : { org_id: to.orgId }),
    ...(to.roomId === undefined ? {} : { location_id: to.roomId }),
  };
}

function filterQuery(filter: DeviceFilter): Query {
  const { orgId, roomId, tenantId, productType, fwVersion, ...rest } = filter;
  return {
    ...rest,
    org_id: orgId,
    room_id: roomId ?? tenantId,
    product_type: productType,
    fw_version: fwVersion,
  };
}
