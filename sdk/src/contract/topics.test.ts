import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  DOWN_TOPICS,
  maySubscribe,
  mayPublish,
  parseTopic,
  SERIAL_PATTERN,
  topicFilter,
  topicFor,
  UP_TOPICS,
} from './mod.ts';

const serial = fc.stringMatching(SERIAL_PATTERN);
const kind = fc.constantFrom(...UP_TOPICS, ...DOWN_TOPICS);

it('every topic that is built can be parsed back', () => {
  fc.assert(
    fc.property(serial, kind, (s, k) => {
      expect(parseTopic(topicFor(s, k))).toEqual({ serial: s, kind: k });
    }),
  );
});

it.each([
  '',
  'devices',
  'devices/EC-1',
  'devices//telemetry',
  'devices/EC-1/',
  'devices/EC-1/telemetry/',
  'devices/+/telemetry',
])('knows no topic %s', (topic) => expect(parseTopic(topic)).toBeNull());
it.each(['devices/EC-1/constructor', 'devices/EC-1/unknown', 'x/devices/EC-1/status', 'devices/E#/status'])(
  'knows no topic %s either',
  (topic) => expect(parseTopic(topic)).toBeNull(),
);

it('refuses to build a topic for a serial that would widen it', () => {
  for (const bad of ['+', '#', 'a/b', '', 'EC 1', '../x'])
    expect(() => topicFor(bad, 'cmd')).toThrow(RangeError);
});

it('lets a device publish upwards and subscribe downwards, on its own topics only', () => {
  for (const k of UP_TOPICS) {
    expect(mayPublish('EC-1', `devices/EC-1/${k}`)).toBe(true);
    expect(mayPublish('EC-1', `devices/EC-2/${k}`)).toBe(false);
    expect(maySubscribe('EC-1', `devices/EC-1/${k}`)).toBe(false);
  }
  for (const k of DOWN_TOPICS) {
    expect(maySubscribe('EC-1', `devices/EC-1/${k}`)).toBe(true);
    expect(maySubscribe('EC-1', `devices/EC-2/${k}`)).toBe(false);
    expect(mayPublish('EC-1', `devices/EC-1/${k}`)).toBe(false);
  }
  for (const filter of [
    '#',
    '+/#',
    'devices/#',
    'devices/+/cmd',
    'devices/EC-10/#',
    '$share/x/devices/EC-1/cmd',
    'devices/EC-1',
  ]) {
    expect(maySubscribe('EC-1', filter)).toBe(false);
  }
  for (const filter of [
    'devices/EC-1/#',
    'devices/EC-1/+',
    'devices/EC-1/shadow/+',
    'devices/EC-1/shadow/#',
  ]) {
    expect(maySubscribe('EC-1', filter)).toBe(true);
  }
});

it('filters for all devices, shared or not', () => {
  expect(topicFilter('telemetry')).toBe('devices/+/telemetry');
  expect(topicFilter('shadow/reported', 'bridge')).toBe('$share/bridge/devices/+/shadow/reported');
});
