import type { BulkRegisterReply, RotateReply } from '@edgeconductor/sdk/contract';
import { ApiSession, type ApiAddress } from './api.ts';
import { DEVICES, ORGS, PASSWORD, productType, REGISTRAR, type DemoDevice } from './plan.ts';
import { profileOf } from './board.ts';
import type { SecretFile } from './secret-file.ts';
import type { Tenancy } from './seed-tenancy.ts';

/**
 * Registers the demo devices through the public API and puts them into their rooms. Secrets are shown once, so
 * they are kept in a file of the data folder; a device whose secret is lost gets a new one.
 */
export async function enrolDevices(
  address: ApiAddress,
  tenancy: Tenancy,
  secrets: SecretFile,
): Promise<void> {
  await Promise.all(
    ORGS.map(async ({ slug }) => {
      const missing = DEVICES.filter((device) => device.org === slug && !secrets.get(device.serial));
      if (missing.length === 0) return;
      const session = await ApiSession.signIn(address, REGISTRAR[slug], PASSWORD);
      await register(session, missing, secrets);
      await inTurns(missing, 4, (device) =>
        session.call('PATCH', `/devices/${device.serial}/location`, {
          location_id: tenancy.rooms[slug].get(device.room),
        }),
      );
      secrets.save();
    }),
  );
}

async function register(session: ApiSession, devices: DemoDevice[], secrets: SecretFile): Promise<void> {
  const reply = (await session.call('POST', '/devices/bulk', {
    devices: devices.map((device) => ({
      serial_no: device.serial,
      product_type: productType(device),
      fw_version: profileOf(device).fwVersion,
    })),
  })) as BulkRegisterReply;
  for (const item of reply.results) {
    const serial = devices[item.index]?.serial;
    if (!serial || !item.ok)
      throw new Error(`${serial ?? item.serial_no}: ${item.error?.detail ?? 'not registered'}`);
    const secret = item.device?.mqtt_password ?? (await rotate(session, serial));
    secrets.set(serial, secret);
  }
}

async function rotate(session: ApiSession, serial: string): Promise<string> {
  const reply = (await session.call('POST', `/devices/${serial}/credentials/rotate`, {
    overlap_s: 0,
  })) as RotateReply;
  return reply.mqtt_password;
}

async function inTurns<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
