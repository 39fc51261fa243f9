import { onTestFinished } from 'vitest';
import { createDatabase, type TestDatabase } from '../../../dev/stack/testing.ts';
import { startBridge, type BridgeProcess } from './bridge-process.ts';
import { BRIDGE_PASSWORD, startTestBroker, type BrokerKind, type TestBroker } from './brokers.ts';
import { connectDevice } from './devices.ts';
import { createFleet, sql, type TestDevice } from './fleet.ts';
import type { MqttClient } from 'mqtt';

/** A database, a broker and devices of one test; all gone when it is over. Bridges are started by the test. */
export interface World {
  database: TestDatabase;
  broker: TestBroker;
  fleet: TestDevice[];
  startBridge(env?: NodeJS.ProcessEnv): Promise<BridgeProcess>;
  connect(device: TestDevice, more?: object): Promise<MqttClient>;
  connectAll(): Promise<Array<{ serial: string; client: MqttClient }>>;
  sql<R extends object>(text: string, values?: unknown[]): Promise<R[]>;
}

export async function createWorld(kind: BrokerKind, devices: number, durable = false): Promise<World> {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  const fleet = await createFleet(database.url(), 'EC-', devices);
  const broker = await startTestBroker(kind, database.url('ec_broker'), durable);
  onTestFinished(() => broker.stop());
  const world: World = {
    database,
    broker,
    fleet,
    startBridge: (env) =>
      startBridge({
        ...{ dbUrl: database.url('ec_bridge'), mqttUrl: broker.url, password: BRIDGE_PASSWORD },
        ...(env ? { env } : {}),
      }),
    async connect(device, more) {
      const client = await connectDevice(broker.url, device, more);
      onTestFinished(() => client.endAsync(true));
      return client;
    },
    connectAll: () =>
      Promise.all(
        fleet.map(async (device) => ({ serial: device.serial, client: await world.connect(device) })),
      ),
    sql: (text, values) => sql(database.url(), text, values),
  };
  return world;
}
