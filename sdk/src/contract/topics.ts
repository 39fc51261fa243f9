/** Every MQTT topic, built and parsed here and nowhere else. `up` = the device publishes, `down` = it receives. */
import { SERIAL_PATTERN } from './ids.ts';

export const MQTT_TOPICS = {
  telemetry: 'up',
  'shadow/reported': 'up',
  'shadow/get': 'up',
  'ota/status': 'up',
  'cmd/ack': 'up',
  status: 'up',
  'shadow/desired': 'down',
  'shadow/document': 'down',
  config: 'down',
  ota: 'down',
  cmd: 'down',
} as const;

export type TopicKind = keyof typeof MQTT_TOPICS;
export type UpTopicKind = { [K in TopicKind]: (typeof MQTT_TOPICS)[K] extends 'up' ? K : never }[TopicKind];
export type DownTopicKind = Exclude<TopicKind, UpTopicKind>;

export const UP_TOPICS = kinds('up') as UpTopicKind[];
export const DOWN_TOPICS = kinds('down') as DownTopicKind[];

/** Retained on the broker: cleared with an empty payload on transfer, retirement and revocation. */
export const RETAINED_TOPICS: readonly DownTopicKind[] = ['shadow/desired', 'config'];

const PREFIX = 'devices/';

/** `topicFor('EC-1', 'shadow/desired')` → `devices/EC-1/shadow/desired`. Throws RangeError for a bad serial. */
export function topicFor(serial: string, kind: TopicKind): string {
  if (!SERIAL_PATTERN.test(serial)) throw new RangeError('not a serial number');
  return `${PREFIX}${serial}/${kind}`;
}

/** Filter that matches one kind of message of every device, e.g. `$share/bridge/devices/+/telemetry`. */
export function topicFilter(kind: TopicKind, shareGroup?: string): string {
  const filter = `${PREFIX}+/${kind}`;
  return shareGroup === undefined ? filter : `$share/${shareGroup}/${filter}`;
}

export interface DeviceTopic {
  serial: string;
  kind: TopicKind;
}

/** Reads a concrete topic; null for anything that is not exactly one of ours. */
export function parseTopic(topic: string): DeviceTopic | null {
  if (!topic.startsWith(PREFIX)) return null;
  const slash = topic.indexOf('/', PREFIX.length);
  if (slash < 0) return null;
  const serial = topic.slice(PREFIX.length, slash);
  const kind = topic.slice(slash + 1);
  return isTopicKind(kind) && SERIAL_PATTERN.test(serial) ? { serial, kind } : null;
}

/** Deny by default: a device publishes only on its own `up` topics. */
export function mayPublish(serial: string, topic: string): boolean {
  const parsed = parseTopic(topic);
  return parsed !== null && parsed.serial === serial && MQTT_TOPICS[parsed.kind] === 'up';
}

/** Deny by default: a device subscribes to its own `down` topics, by name or by a filter below its own serial. */
export function maySubscribe(serial: string, filter: string): boolean {
  const own = `${PREFIX}${serial}/`;
  if (!filter.startsWith(own) || !SERIAL_PATTERN.test(serial)) return false;
  const rest = filter.slice(own.length);
  if (isTopicKind(rest)) return MQTT_TOPICS[rest] === 'down';
  return /^(#|\+(\/(\+|#))?|[a-z]+\/(\+|#))$/.test(rest);
}

export function isTopicKind(value: string): value is TopicKind {
  return Object.hasOwn(MQTT_TOPICS, value);
}

function kinds(direction: 'up' | 'down'): TopicKind[] {
  return (Object.keys(MQTT_TOPICS) as TopicKind[]).filter((kind) => MQTT_TOPICS[kind] === direction);
}
