import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { inject, onTestFinished } from 'vitest';
import { climateNode, Flash, MqttDoor, VirtualDevice, type Faults } from '../../../cli/src/simulate/index.ts';
import { espImage, type EspImageOptions } from '../../../sdk/test/esp-image.ts';
import { callApi } from './device.ts';
import { orgOf } from './newcomers.ts';
import { people } from './people.ts';

interface Registered {
  mqtt_password: string;
  ota_public_key: string;
}

export interface BoardOptions {
  /** Of the firmware it runs now. */
  version?: string;
  faults?: Faults;
  /** So that a test finds its own devices. */
  tag: string;
  /** False: registered, but without power. */
  on?: boolean;
}

export const newTag = (): string => `boards-${randomBytes(3).toString('hex')}`;

/** A version nobody has had before, newer than everything the boards begin with. */
export const newVersion = (): string => `9.${randomBytes(2).readUInt16BE()}.${randomBytes(2).readUInt16BE()}`;

/**
 * A device that updates itself: it downloads, checks hash and signature, restarts and goes back when the new image does
 * not run. Off when the test ends.
 */
export async function newBoard({
  version = '1.0.0',
  faults = {},
  tag,
  on = true,
}: BoardOptions): Promise<VirtualDevice> {
  const serial = `E2E-${randomBytes(4).toString('hex').toUpperCase()}`;
  const { mqtt_password, ota_public_key } = await callApi<Registered>(
    people.org_admin,
    'POST',
    '/devices/register',
    { serial_no: serial, product_type: 'EC-CLIMATE-V1', fw_version: version },
  );
  await callApi(people.org_admin, 'PATCH', `/devices/${serial}`, { tags: [tag] });
  const { mqtts_url: url, mqtts_ca } = inject('world');
  const ca = readFileSync(mqtts_ca, 'utf8');
  const board = new VirtualDevice({
    serial,
    profile: climateNode({ serial, room: 'office', zone: 'Europe/Berlin', fwVersion: version }),
    ...{ intervalS: 0.5, bootMs: 100, faults },
    updates: { publicKey: ota_public_key, flash: new Flash(version), installMs: 50 },
    door: (events) => new MqttDoor({ url, serial, password: mqtt_password, ca }, events),
  });
  onTestFinished(() => board.stop());
  if (on) board.start();
  return board;
}

export async function newBoards(count: number, options: BoardOptions): Promise<VirtualDevice[]> {
  const boards = Array.from({ length: count }, () => newBoard(options));
  return Promise.all(boards);
}

/** A file as a browser is given one. */
export function imageFile(options: EspImageOptions, name = 'climate.bin') {
  return { name, mimeType: 'application/octet-stream', buffer: Buffer.from(espImage(options)) };
}

interface Ticket {
  firmware: { id: string };
  upload: { url: string; method: string; headers: Record<string, string> };
}

/** Uploads an image as the API's own clients do; gives its id. */
export async function uploadImage(options: EspImageOptions): Promise<string> {
  const { buffer, name } = imageFile(options);
  const { firmware, upload } = await callApi<Ticket>(people.org_admin, 'POST', '/firmware', {
    org_id: await orgOf(people.org_admin),
    ...{ product_type: 'EC-CLIMATE-V1', filename: name, size: buffer.length },
  });
  const { url, method, headers } = upload;
  const stored = await fetch(url, { method, headers, body: new Uint8Array(buffer) });
  if (!stored.ok) throw new Error(`The store answered ${stored.status}: ${await stored.text()}`);
  await callApi(people.org_admin, 'POST', `/firmware/${firmware.id}/finish`);
  return firmware.id;
}

/** Starts a job for the boards of a tag; gives its id. */
export async function startJob(firmware: string, tag: string, more: object = {}): Promise<string> {
  const path = `/orgs/${await orgOf(people.org_admin)}/ota-jobs`;
  const body = { firmware_id: firmware, target: { filter: { tag } }, ...more };
  return (await callApi<{ id: string }>(people.org_admin, 'POST', path, body)).id;
}
