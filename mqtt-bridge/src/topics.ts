/** Names both ends of the bridge's broker connections agree on; brokers are configured from these. */

/** Bridge users carry dots, which no serial may contain. The user name is the client id (fixed, one each). */
export const BRIDGE_USERS = ['ec.bridge.ingest', 'ec.bridge.relay', 'ec.bridge.monitor'] as const;
export const INGEST_USER = 'ec.bridge.ingest';
export const RELAY_USER = 'ec.bridge.relay';

/** Retained, the bridge's own: tells a broker that kept its retained messages from one that lost them. */
export const MARKER_TOPIC = 'ec/bridge/marker';

/** What the ingest session subscribes to. QoS 1, persistent: the broker queues while no bridge is there. */
export const INGEST_FILTERS = [
  'devices/+/telemetry',
  'devices/+/status',
  'devices/+/shadow/reported',
  'devices/+/shadow/get',
  'devices/+/cmd/ack',
  'devices/+/ota/status',
] as const;
