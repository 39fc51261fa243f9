import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BROKER_KINDS, startTestBroker, type TestBroker } from '../../../mqtt-bridge/test/support/brokers.ts';
import { connectDevice } from '../../../mqtt-bridge/test/support/devices.ts';
import { createFleet, revoke, sql, type TestDevice } from '../../../mqtt-bridge/test/support/fleet.ts';
import { until } from '../../../mqtt-bridge/test/support/until.ts';
import { createDatabase, type TestDatabase } from '../testing.ts';

describe.each(BROKER_KINDS)('credentials on the %s broker', (kind) => {
  let database: TestDatabase;
  let broker: TestBroker;
  let fleet: TestDevice[];
  const device = (n: number): TestDevice => fleet[n] as TestDevice;

  beforeAll(async () => {
    database = await createDatabase();
    fleet = await createFleet(database.url(), 'CRED-', 60);
    broker = await startTestBroker(kind, database.url('ec_broker'));
  });
  afterAll(async () => {
    await broker.stop();
    await database.drop();
  });

  /** Tries until it is let in; the time it took. */
  async function untilLetIn(newcomer: TestDevice): Promise<number> {
    const from = performance.now();
    await until(
      () =>
        connectDevice(broker.url, newcomer).then(
          (client) => client.endAsync(true).then(() => true),
          () => false,
        ),
      'it is let in',
    );
    return performance.now() - from;
  }

  it('work within a second of registering, while others stay connected', async () => {
    const before = await connectDevice(broker.url, device(0));
    const [newcomer] = (await createFleet(database.url(), 'LATE-', 1)) as [TestDevice];
    expect(await untilLetIn(newcomer)).toBeLessThan(1_000);
    expect(before.connected).toBe(true);
    await before.endAsync(true);
  });

  it('revoked, end that session within a second and no other', async () => {
    const clients = await Promise.all(fleet.map((each) => connectDevice(broker.url, each)));
    const closed: number[] = [];
    clients.forEach((client, n) => client.on('close', () => closed.push(n)));
    const from = performance.now();
    await revoke(database.url(), device(7).serial);
    await until(() => closed.length > 0, 'a session ends');
    expect(performance.now() - from).toBeLessThan(1_000);
    await expect(connectDevice(broker.url, device(7))).rejects.toThrow();
    await clients[8]?.publishAsync(`devices/${device(8).serial}/telemetry`, '{"temp":1}', { qos: 1 });
    expect(closed).toEqual([7]);
    await Promise.all(clients.map((client) => client.endAsync(true)));
  });

  it('revoked and issued again, show the device nothing that was meant for it before', async () => {
    const persistent = { clean: false };
    const first = await connectDevice(broker.url, device(9), persistent);
    await first.subscribeAsync(`devices/${device(9).serial}/cmd`, { qos: 1 });
    await revoke(database.url(), device(9).serial);
    await until(() => !first.connected, 'the session ends');
    await sql(database.url(), `update public.device_credentials set revoked_at = null where serial = $1`, [
      device(9).serial,
    ]);
    await sql(database.url(), `select pg_notify('ec_credentials', $1)`, [device(9).serial]);
    await untilLetIn(device(9));
    const got: string[] = [];
    const again = await connectDevice(broker.url, device(9), persistent);
    again.on('message', (_topic, payload) => got.push(String(payload)));
    expect(got).toEqual([]);
    await again.endAsync(true);
  });

  it('of a retired device stop working like revoked ones', async () => {
    const client = await connectDevice(broker.url, device(10));
    await sql(
      database.url(),
      `update public.devices set lifecycle = 'retired', retired_at = now() where serial = $1`,
      [device(10).serial],
    );
    await sql(database.url(), `select pg_notify('ec_credentials', $1)`, [device(10).serial]);
    await until(() => !client.connected, 'the session ends', 1_000);
  });

  it('work for a client that is not ours, over TLS with the authority of the stack', async ({ skip }) => {
    const { serial, secret } = device(11);
    const publish = (...more: string[]): Promise<number | string> =>
      new Promise((resolve) => {
        const child = spawn(process.env['EC_MOSQUITTO_PUB_PATH'] ?? 'mosquitto_pub', [
          ...['-h', 'localhost', '-p', String(broker.tlsPort), '-u', serial, '-P', secret, '-q', '1'],
          ...['-t', `devices/${serial}/telemetry`, '-m', '{"temperature":21.5}', ...more],
        ]);
        child.once('error', (error) => resolve(error.message));
        child.once('exit', (code) => resolve(code ?? -1));
      });
    const trusting = await publish('--cafile', broker.caFile);
    if (String(trusting).includes('ENOENT')) skip('mosquitto_pub is not installed');
    expect(trusting).toBe(0);
    expect(await publish('--capath', '/etc/ssl/certs')).not.toBe(0);
  });

  it('are never sent over TLS older than 1.2', async () => {
    const attempt = (version: 'TLSv1.1' | 'TLSv1.2'): Promise<string | null> =>
      new Promise((resolve) => {
        const socket = connectTls({
          ...{ host: 'localhost', port: broker.tlsPort, minVersion: 'TLSv1.1', maxVersion: version },
          ciphers: 'DEFAULT@SECLEVEL=0',
          ca: readFileSync(broker.caFile),
        });
        socket.once('secureConnect', () => (resolve(socket.getProtocol()), socket.destroy()));
        socket.once('error', () => resolve(null));
      });
    expect(await attempt('TLSv1.2')).toBe('TLSv1.2');
    expect(await attempt('TLSv1.1')).toBe(null);
  });
});

describe('credentials on the embedded broker', () => {
  it('of a rotation both work until the overlap ends, then the session of the old one does', async () => {
    const database = await createDatabase();
    const [device] = (await createFleet(database.url(), 'ROT-', 1)) as [TestDevice];
    const [other] = (await createFleet(database.url(), 'ROU-', 1)) as [TestDevice];
    const broker = await startTestBroker('embedded', database.url('ec_broker'));
    // The secret of another device, issued to this one as its second.
    await sql(
      database.url(),
      `update public.device_credentials c set serial = $1, device_id = d.id from public.devices d
        where d.serial = $1 and c.serial = $2`,
      [device.serial, other.serial],
    );
    const renewed = { serial: device.serial, secret: other.secret };
    for (const each of [device, renewed]) await (await connectDevice(broker.url, each)).endAsync(true);
    const old = await connectDevice(broker.url, device);
    await sql(
      database.url(),
      `update public.device_credentials set expires_at = now() where serial = $1 and created_at = (
         select min(created_at) from public.device_credentials where serial = $1)`,
      [device.serial],
    );
    await sql(database.url(), `select pg_notify('ec_credentials', $1)`, [device.serial]);
    await until(() => !old.connected, 'the session of the old secret ends', 1_000);
    await (await connectDevice(broker.url, renewed)).endAsync(true);
    await expect(connectDevice(broker.url, device)).rejects.toThrow();
    await broker.stop();
    await database.drop();
  });

  it('are asked for again when the database comes back, and nobody is let in or thrown out on a guess', async () => {
    const database = await createDatabase();
    const [device] = (await createFleet(database.url(), 'DB-', 1)) as [TestDevice];
    const broker = await startTestBroker('embedded', database.url('ec_broker'));
    const client = await connectDevice(broker.url, device);
    const admin = database.url('supabase_admin');
    await sql(admin, `revoke select on ec.mqtt_credentials from ec_broker`);
    await sql(
      admin,
      `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'ec_broker' and datname = current_database()`,
    );
    await expect(connectDevice(broker.url, device)).rejects.toMatchObject({ code: 3 });
    await revoke(database.url(), device.serial);
    expect(client.connected).toBe(true);
    await sql(admin, `grant select on ec.mqtt_credentials to ec_broker`);
    await until(() => !client.connected, 'the revocation is noticed');
    await broker.stop();
    await database.drop();
  });
});
