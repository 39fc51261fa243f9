/** What a device may do on the broker: a closed list, everything else is denied (interfaces, "MQTT"). */

const MAY_PUBLISH = new Set([
  'telemetry',
  'shadow/reported',
  'shadow/get',
  'ota/status',
  'cmd/ack',
  'status',
]);
const MAY_RECEIVE = ['shadow/desired', 'shadow/document', 'config', 'ota', 'cmd'];
const MAY_RECEIVE_SET = new Set(MAY_RECEIVE);

/** Bridge users carry a dot, which no serial may contain, so no device can ever be one. */
export const BRIDGE_USER_PREFIX = 'ec.bridge.';
/** Retained messages the bridge leaves for itself. */
const BRIDGE_ROOT = 'ec/bridge/';
const BRIDGE_READS = ['devices/', BRIDGE_ROOT, '$SYS/'];
const SERIAL = /^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$/;

export const isSerial = (name: string): boolean => SERIAL.test(name);
export const isBridgeUser = (name: string): boolean => name.startsWith(BRIDGE_USER_PREFIX);

/** The part after `devices/{serial}/`, or undefined when the topic is not below the device's own root. */
function ownRest(serial: string, topic: string): string | undefined {
  const root = `devices/${serial}/`;
  return topic.startsWith(root) ? topic.slice(root.length) : undefined;
}

export function mayPublish(user: string, topic: string): boolean {
  if (isBridgeUser(user)) return topic.startsWith('devices/') || topic.startsWith(BRIDGE_ROOT);
  const rest = ownRest(user, topic);
  return rest !== undefined && MAY_PUBLISH.has(rest);
}

export function mayReceive(user: string, topic: string): boolean {
  if (isBridgeUser(user)) return BRIDGE_READS.some((root) => topic.startsWith(root));
  const rest = ownRest(user, topic);
  return rest !== undefined && MAY_RECEIVE_SET.has(rest);
}

/** A filter is granted when it lies below the device's own root and can match something it may receive. */
export function maySubscribe(user: string, filter: string): boolean {
  if (isBridgeUser(user)) return BRIDGE_READS.some((root) => filter.startsWith(root));
  const rest = ownRest(user, filter);
  return rest !== undefined && MAY_RECEIVE.some((kind) => filterMatches(rest, kind));
}

/** MQTT topic filter matching on the levels of `filter` and `topic` (4.7.1). */
export function filterMatches(filter: string, topic: string): boolean {
  const wanted = filter.split('/');
  const levels = topic.split('/');
  for (let i = 0; i < wanted.length; i++) {
    if (wanted[i] === '#') return true;
    if (i >= levels.length) return false;
    if (wanted[i] !== '+' && wanted[i] !== levels[i]) return false;
  }
  return wanted.length === levels.length;
}
