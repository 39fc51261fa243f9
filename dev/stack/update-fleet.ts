import { createHash, randomBytes } from 'node:crypto';
import { EdgeConductor, type Firmware, type OtaJob, type OtaJobDevice } from '@edgeconductor/sdk';
import { OTA_IN_PROGRESS, type OtaJobInput } from '@edgeconductor/sdk/contract';
import pg from 'pg';
import {
  climateNode,
  Fleet,
  MqttDoor,
  VirtualDevice,
  type DeviceEvent,
  type Faults,
  type UpdateNews,
} from '../../cli/src/simulate/index.ts';
import type { Facts } from './facts.ts';

/** A device of a drill, with what it was told and what it said. */
export interface Drilled {
  readonly serial: string;
  readonly device: VirtualDevice;
  readonly faults: Faults;
  /** What it ran when the newest job was made; everything below is of this job. */
  before: string;
  /** When it heard of it for the first time, ms since the epoch. */
  orderedAt: number | undefined;
  /** How often. */
  orders: number;
  said: UpdateNews[];
  restarts: number;
}

export interface UpdateFleetOptions {
  facts: Facts;
  count: number;
  prefix: string;
  faults?(index: number): Faults | undefined;
  intervalS?: number;
  /** Of every device before the update. */
  version?: string;
  /** Packets carry their own time, so that one the broker brings again is known. */
  clock?: boolean;
  onEvent?(event: DeviceEvent): void;
}

const BULK = 250;

/** An organisation of its own, its devices on the plain port, and the API as their people use it. */
export class UpdateFleet {
  readonly ec: EdgeConductor;
  readonly orgId: string;
  readonly devices: readonly Drilled[];
  readonly #fleet: Fleet;

  private constructor(ec: EdgeConductor, orgId: string, devices: Drilled[]) {
    this.ec = ec;
    this.orgId = orgId;
    this.devices = devices;
    this.#fleet = new Fleet(devices.map(({ device }) => device));
  }

  static async create(options: UpdateFleetOptions): Promise<UpdateFleet> {
    const { facts, count, prefix, version = '1.2.0' } = options;
    const { apiKey, orgId } = await newOrg(facts, prefix);
    const ec = new EdgeConductor({ apiKey, baseUrl: facts.api_url! });
    const devices: Drilled[] = [];
    for (let from = 0; from < count; from += BULK) {
      const serials = Array.from(
        { length: Math.min(BULK, count - from) },
        (_, i) => `${prefix}-${String(from + i + 1).padStart(4, '0')}`,
      );
      const { results } = await ec.devices.registerMany(
        serials.map((serial_no) => ({ serial_no, product_type: 'EC-CLIMATE-V1', fw_version: version })),
      );
      for (const { device, serial_no, error } of results) {
        if (!device) throw new Error(`${serial_no}: ${error?.detail}`);
        const { mqtt_password, ota_public_key } = device;
        const faults = options.faults?.(devices.length) ?? {};
        const access = { serial: device.serial_no, secret: mqtt_password!, key: ota_public_key ?? undefined };
        devices.push(drilled(options, access, faults));
      }
    }
    return new UpdateFleet(ec, orgId, devices);
  }

  /** Switches all on; resolves when the platform has heard of each. */
  async start(perSecond = 100): Promise<void> {
    this.#fleet.start(perSecond);
    const deadline = Date.now() + 120_000;
    while (!this.devices.every(({ device }) => device.counters.delivered > 0)) {
      if (Date.now() > deadline) throw new Error(`${this.#fleet.connected} devices are connected`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  upload(image: Uint8Array<ArrayBuffer>): Promise<Firmware> {
    return this.ec.firmware.upload({ product_type: 'EC-CLIMATE-V1', filename: 'node.bin', file: image });
  }

  /** Makes a job for all devices of the type. */
  async update(firmware: Firmware, more: Partial<OtaJobInput> = {}): Promise<OtaJob> {
    for (const one of this.devices)
      Object.assign(one, {
        before: one.device.version,
        orderedAt: undefined,
        orders: 0,
        restarts: 0,
        said: [],
      });
    const target = { product_type: firmware.product_type };
    return this.ec.otaJobs.create(this.orgId, { firmware_id: firmware.id, target, ...more });
  }

  /** Resolves with the job when it is over and nobody in it is in progress any more. */
  async ended(jobId: string, withinMs = 60_000): Promise<OtaJob> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const job = await this.ec.otaJobs.get(jobId);
      const { counts } = job;
      const going = OTA_IN_PROGRESS.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
      if (['completed', 'aborted'].includes(job.state) && going === 0) return job;
      if (Date.now() > deadline) throw new Error(`after ${withinMs} ms: ${JSON.stringify(counts)}`);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  /** Resolves when no device is in the middle of an update any more, whatever the platform believes by then. */
  async settled(withinMs = 120_000): Promise<void> {
    const deadline = Date.now() + withinMs;
    const isBusy = ({ said }: Drilled): boolean => {
      const state = said.at(-1)?.state;
      return state === 'downloading' || state === 'installing' || state === 'rebooting';
    };
    while (this.devices.some(isBusy) && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 250));
  }

  /** What the platform believes about every device of a job. */
  async believed(jobId: string): Promise<Map<string, OtaJobDevice>> {
    const rows = new Map<string, OtaJobDevice>();
    for await (const row of this.ec.otaJobs.devices(jobId, { limit: 200 })) rows.set(row.serial, row);
    return rows;
  }

  /**
   * Compares what the platform believes with what each device runs and said; one line for each that differs. A
   * device has the new version when, and only when, its update succeeded, and a failure has the device's own words.
   */
  async disagreements(jobId: string, version: string): Promise<string[]> {
    const believed = await this.believed(jobId);
    const lines: string[] = [];
    for (const { serial, device, said, before } of this.devices) {
      const row = believed.get(serial);
      if (!row) continue;
      const runs = row.state === 'succeeded' ? version : before;
      const known = (await this.ec.devices.get(serial)).fw_version;
      const last = said.at(-1);
      const words = ['failed', 'rejected', 'rolled_back'].includes(row.state);
      const agree =
        device.version === runs &&
        known === runs &&
        (row.state === 'succeeded' ? last?.state === 'installed' : true) &&
        (!words || (last?.state === row.state && 'reason' in last && last.reason === row.reason));
      if (!agree)
        lines.push(
          `${serial}: platform ${row.state} ${row.reason ?? ''} ${known}, device ${device.version} ${JSON.stringify(last)}`,
        );
    }
    return lines;
  }

  stop(): Promise<void> {
    return this.#fleet.stop();
  }
}

function drilled(
  { facts, intervalS = 0.5, version = '1.2.0', clock = false, onEvent }: UpdateFleetOptions,
  { serial, secret, key }: { serial: string; secret: string; key: string | undefined },
  faults: Faults,
): Drilled {
  const device = new VirtualDevice({
    ...{ serial, intervalS, faults, clock, bootMs: 500, updates: { publicKey: key } },
    profile: climateNode({ serial, room: 'office', zone: 'Europe/Berlin', fwVersion: version }),
    door: (events) => new MqttDoor({ url: facts.mqtt_url!, serial, password: secret }, events),
    onEvent(event) {
      const { kind, detail } = event;
      onEvent?.(event);
      if (kind === 'updating') one.said.push(detail as UpdateNews);
      if (kind === 'restarted') one.restarts++;
      if (kind !== 'ordered') return;
      one.orderedAt ??= Date.now();
      one.orders++;
    },
  });
  const one: Drilled = {
    ...{ serial, device, faults, before: version, orderedAt: undefined, orders: 0, said: [], restarts: 0 },
  };
  return one;
}

async function newOrg(facts: Facts, name: string): Promise<{ apiKey: string; orgId: string }> {
  const apiKey = `ec_live_${randomBytes(24).toString('base64url')}`;
  const db = new pg.Client({ connectionString: facts.db_url! });
  await db.connect();
  try {
    const { rows } = await db.query<{ org_id: string }>(
      `with org as (insert into public.orgs (name, slug, plan) values ($1, lower($1), 'enterprise') returning id)
       insert into public.api_keys (org_id, name, prefix, key_sha256, scopes)
       select id, 'drill', 'ec_live_drll', $2, '{read,write,ota,provision}' from org returning org_id`,
      [name, createHash('sha256').update(apiKey).digest()],
    );
    return { apiKey, orgId: rows[0]!.org_id };
  } finally {
    await db.end();
  }
}
