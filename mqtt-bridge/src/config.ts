import { hostname } from 'node:os';
import type { LogLevel } from './log.ts';

export const ROLES = ['ingest', 'relay', 'broker-agent'] as const;
export type Role = (typeof ROLES)[number];

/** Everything the process is told, by environment. Units are in the names. */
export interface Config {
  roles: Role[];
  /** Of this process in heartbeats and leases. */
  name: string;
  /** Port of /health and /metrics on loopback unless `host` says otherwise; none when undefined. */
  port: number | undefined;
  host: string;
  logLevel: LogLevel;
  /** Postgres as ec_bridge: direct or in session mode (LISTEN, advisory locks). */
  dbUrl: string;
  mqttUrl: string;
  mqttPassword: string;
  mqttCaFile: string | undefined;
  lanes: number;
  receiveMaximum: number;
  agent: { dbUrl: string; passwordFile: string; aclFile: string; pidFile: string };
}

/** @throws Error with a plain sentence naming the variable */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const text = (name: string, fallback?: string): string => {
    const value = env[name] || fallback;
    if (value === undefined) throw new Error(`${name} is not set.`);
    return value;
  };
  const number = (name: string, fallback: number, least: number, most: number): number => {
    const value = Number(text(name, String(fallback)));
    if (!Number.isInteger(value) || value < least || value > most)
      throw new Error(`${name} must be a whole number from ${least} to ${most}.`);
    return value;
  };
  const roles = text('EC_BRIDGE_ROLES', 'ingest,relay')
    .split(',')
    .map((role) => role.trim()) as Role[];
  const unknown = roles.find((role) => !ROLES.includes(role));
  if (unknown !== undefined) throw new Error(`EC_BRIDGE_ROLES: "${unknown}" is none of ${ROLES.join(', ')}.`);
  const bridging = roles.includes('ingest') || roles.includes('relay');
  const agent = roles.includes('broker-agent');
  const only = (wanted: boolean, name: string): string => (wanted ? text(name) : '');
  return {
    roles,
    name: text('EC_BRIDGE_NAME', hostname()),
    port: env['EC_BRIDGE_PORT'] ? number('EC_BRIDGE_PORT', 0, 1, 65_535) : undefined,
    host: text('EC_BRIDGE_HOST', '127.0.0.1'),
    logLevel: text('EC_LOG_LEVEL', 'info') as LogLevel,
    dbUrl: only(bridging, 'EC_BRIDGE_DB_URL'),
    mqttUrl: only(bridging, 'EC_MQTT_URL'),
    mqttPassword: text('EC_MQTT_PASSWORD'),
    mqttCaFile: env['EC_MQTT_CA'] || undefined,
    lanes: number('EC_BRIDGE_LANES', 2, 1, 16),
    receiveMaximum: number('EC_BRIDGE_RECEIVE_MAXIMUM', 5_000, 100, 60_000),
    agent: {
      dbUrl: only(agent, 'EC_BROKER_DB_URL'),
      passwordFile: only(agent, 'EC_MOSQUITTO_PASSWORD_FILE'),
      aclFile: only(agent, 'EC_MOSQUITTO_ACL_FILE'),
      pidFile: only(agent, 'EC_MOSQUITTO_PID_FILE'),
    },
  };
}
