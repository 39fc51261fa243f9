import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { inject } from 'vitest';
import { findOrInstall, mosquittoPub as program } from '../../scripts/test/programs.ts';

export interface Device {
  serial: string;
  secret: string;
  /** Path of the page that its QR code opens; null when the reply held none. */
  claimPath: string | null;
  /** Publishes one message with an ordinary MQTT client over TLS, and resolves when the broker acknowledged it. */
  publish(topic: string, payload: string): Promise<void>;
  /** The same device with another secret. */
  withSecret(secret: string): Device;
}

interface SignedIn {
  access_token: string;
}

interface Registered {
  serial_no: string;
  mqtt_password: string;
  claim_url?: string;
}

/** Calls the API as that person; throws with the problem's words on failure. */
export async function callApi<T>(email: string, method: string, path: string, body?: unknown): Promise<T> {
  const { api_url, supabase_url, publishable_key, admin } = inject('world');
  const headers = { 'content-type': 'application/json' };
  const session = await fetch(`${supabase_url}/auth/v1/token?grant_type=password`, {
    method: 'POST',
    headers: { ...headers, apikey: publishable_key },
    body: JSON.stringify({ email, password: admin.password }),
  });
  const { access_token } = (await session.json()) as SignedIn;
  const answer = await fetch(api_url + path, {
    method,
    headers: { ...headers, authorization: `Bearer ${access_token}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

/** Registers a new device in that person's org, as a factory would, and returns what the device is told. */
export async function registerDevice(email: string, productType = 'EC-CLIMATE-V1'): Promise<Device> {
  const serial_no = `E2E-${randomBytes(4).toString('hex').toUpperCase()}`;
  const registered = await callApi<Registered>(email, 'POST', '/devices/register', {
    serial_no,
    product_type: productType,
    fw_version: '1.0.0',
  });
  const { claim_url } = registered;
  return asDevice(registered.serial_no, registered.mqtt_password, claim_url ? pathOf(claim_url) : null);
}

/** What a printed link opens, on whatever host the test reaches the app. */
export function pathOf(link: string): string {
  const { pathname, search } = new URL(link);
  return pathname + search;
}

function asDevice(serial: string, secret: string, claimPath: string | null): Device {
  return {
    serial,
    secret,
    claimPath,
    publish: (topic, payload) => mosquittoPub(serial, secret, topic, payload),
    withSecret: (other) => asDevice(serial, other, claimPath),
  };
}

/** The published way to connect: user name, secret and the broker's certificate authority. */
async function mosquittoPub(serial: string, secret: string, topic: string, payload: string): Promise<void> {
  const { mqtts_url, mqtts_ca } = inject('world');
  const { hostname, port } = new URL(mqtts_url);
  const connection = [
    '-h',
    hostname,
    '-p',
    port,
    '--cafile',
    mqtts_ca,
    '-i',
    serial,
    '-u',
    serial,
    '-P',
    secret,
  ];
  const child = spawn(
    findOrInstall(program) ?? 'mosquitto_pub',
    [...connection, '-q', '1', '-t', topic, '-s'],
    { stdio: ['pipe', 'ignore', 'pipe'] },
  );
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  child.stdin.end(payload);
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`mosquitto_pub ended with ${code}: ${complaint}`);
}
