import { describe, expect, it } from 'vitest';
import { filterMatches, mayPublish, mayReceive, maySubscribe } from './acl.ts';

describe('a device', () => {
  it.each(['telemetry', 'shadow/reported', 'shadow/get', 'ota/status', 'cmd/ack', 'status'])(
    'publishes %s',
    (kind) => {
      expect(mayPublish('EC-1', `devices/EC-1/${kind}`)).toBe(true);
      expect(mayReceive('EC-1', `devices/EC-1/${kind}`)).toBe(false);
    },
  );

  it.each(['shadow/desired', 'shadow/document', 'config', 'ota', 'cmd'])('receives %s', (kind) => {
    expect(mayReceive('EC-1', `devices/EC-1/${kind}`)).toBe(true);
    expect(maySubscribe('EC-1', `devices/EC-1/${kind}`)).toBe(true);
    expect(mayPublish('EC-1', `devices/EC-1/${kind}`)).toBe(false);
  });

  it.each(['devices/EC-1/#', 'devices/EC-1/+', 'devices/EC-1/shadow/+', 'devices/EC-1/+/desired'])(
    'may ask for %s below its own root',
    (filter) => expect(maySubscribe('EC-1', filter)).toBe(true),
  );

  it.each([
    ...[
      '#',
      '+/#',
      '+/+/shadow/desired',
      'devices/#',
      'devices/+/ota',
      'devices/EC-2/#',
      'devices/EC-12/ota',
    ],
    ...[
      '$SYS/#',
      '$share/g/devices/#',
      '$share/g/devices/EC-1/ota',
      'devices/EC-1',
      'devices/EC-1/telemetry',
      '',
    ],
  ])('may not ask for %j', (filter) => expect(maySubscribe('EC-1', filter)).toBe(false));

  it.each(['devices/EC-2/telemetry', 'devices/EC-1/telemetry/x', 'devices/EC-1', '$SYS/x', 'telemetry', ''])(
    'may not publish %j',
    (topic) => expect(mayPublish('EC-1', topic)).toBe(false),
  );

  it('neither reads nor writes what the bridge keeps for itself', () => {
    expect(mayPublish('ec.bridge.relay', 'ec/bridge/marker')).toBe(true);
    expect(maySubscribe('ec.bridge.relay', 'ec/bridge/marker')).toBe(true);
    expect(mayPublish('EC-1', 'ec/bridge/marker')).toBe(false);
    expect(mayReceive('EC-1', 'ec/bridge/marker')).toBe(false);
    expect(maySubscribe('EC-1', 'ec/bridge/marker')).toBe(false);
  });

  it('is not a bridge, whatever its name', () => {
    expect(mayPublish('ec_bridge', 'devices/EC-1/shadow/desired')).toBe(false);
    expect(mayReceive('ec-bridge-ingest', 'devices/EC-1/telemetry')).toBe(false);
  });
});

it('matches filters level by level', () => {
  expect(filterMatches('devices/+/telemetry', 'devices/a/telemetry')).toBe(true);
  expect(filterMatches('devices/+/telemetry', 'devices/a/b/telemetry')).toBe(false);
  expect(filterMatches('shadow/#', 'shadow')).toBe(true);
  expect(filterMatches('shadow/+', 'shadow')).toBe(false);
  expect(filterMatches('+', 'shadow/desired')).toBe(false);
});
