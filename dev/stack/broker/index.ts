import type { Log } from '../../../mqtt-bridge/src/log.ts';

export interface BrokerOptions {
  /** `embedded` = aedes in this process; `mosquitto` = an installed mosquitto 2.x and a broker agent. */
  kind: 'embedded' | 'mosquitto';
  /** Plain MQTT, loopback only: for the bridge and the bench. */
  mqttPort: number;
  /** MQTT over TLS 1.2+, for devices. */
  mqttsPort: number;
  /** PEM file paths. */
  tls: { cert: string; key: string; ca: string };
  /** Postgres as role ec_broker: reads ec.mqtt_credentials, listens on ec_credentials. */
  dbUrl: string;
  /** Everything the broker keeps lies in here; created when missing. */
  dataDir: string;
  /** Password of every bridge user (mqtt-bridge/src/topics.ts). */
  bridgePassword: string;
  log: Log;
  /** Nothing the broker acknowledged is lost in a crash of it, at the price named in mqtt-bridge/README.md. */
  durable?: boolean;
  /** Where the TLS listener binds; loopback unless told otherwise. */
  host?: string;
}

export interface Broker {
  /** Stops accepting, keeps what must be kept, closes every connection. Safe to call twice. */
  stop(): Promise<void>;
}

/** @throws Error with a plain sentence: port taken, mosquitto not installed, database out of reach. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  // Loaded on demand: a stack with Mosquitto needs no aedes, and the other way round.
  if (options.kind === 'mosquitto') return (await import('./mosquitto.ts')).startMosquitto(options);
  return (await import('./embedded.ts')).startEmbedded(options);
}
