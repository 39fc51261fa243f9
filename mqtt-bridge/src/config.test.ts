import { describe, expect, it } from 'vitest';
import { readConfig } from './config.ts';

const bridge = {
  EC_BRIDGE_DB_URL: 'postgres://ec_bridge@localhost/postgres',
  EC_MQTT_URL: 'mqtt://localhost',
  EC_MQTT_PASSWORD: 'secret',
};

describe('readConfig', () => {
  it('does both halves of the bridge unless told otherwise', () => {
    expect(readConfig(bridge)).toMatchObject({ roles: ['ingest', 'relay'], port: undefined, lanes: 2 });
  });

  it('names what is missing', () => {
    expect(() => readConfig({ ...bridge, EC_MQTT_URL: '' })).toThrow('EC_MQTT_URL is not set.');
    expect(() => readConfig({ EC_BRIDGE_ROLES: 'broker-agent', EC_MQTT_PASSWORD: 'x' })).toThrow(
      'EC_BROKER_DB_URL',
    );
  });

  it('asks a broker agent for nothing of the bridge', () => {
    const config = readConfig({
      EC_BRIDGE_ROLES: 'broker-agent',
      EC_MQTT_PASSWORD: 'x',
      EC_BROKER_DB_URL: 'postgres://ec_broker@localhost/postgres',
      EC_MOSQUITTO_PASSWORD_FILE: '/p',
      EC_MOSQUITTO_ACL_FILE: '/a',
      EC_MOSQUITTO_PID_FILE: '/i',
    });
    expect(config.agent.passwordFile).toBe('/p');
  });

  it('refuses unknown roles and numbers out of range in a sentence', () => {
    expect(() => readConfig({ ...bridge, EC_BRIDGE_ROLES: 'ingest,cook' })).toThrow('"cook" is none of');
    expect(() => readConfig({ ...bridge, EC_BRIDGE_LANES: '0' })).toThrow('EC_BRIDGE_LANES must be');
  });
});
