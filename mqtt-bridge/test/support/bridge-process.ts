import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { freePort } from '../../../dev/stack/test-cluster.ts';
import { until } from './until.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface BridgeOptions {
  dbUrl: string;
  mqttUrl: string;
  password: string;
  env?: NodeJS.ProcessEnv;
}

export interface BridgeProcess {
  readonly child: ChildProcess;
  /** Parsed log lines so far. */
  readonly logs: Array<Record<string, unknown>>;
  health(): Promise<{ status: number; body: Record<string, unknown> }>;
  /** Value of a metric without labels. */
  metric(name: string): Promise<number>;
  /** SIGTERM; resolves with exit code and how long it took. */
  stop(): Promise<{ code: number | null; ms: number }>;
  /** kill -9 */
  kill(): Promise<void>;
}

/** The bridge as a process of its own, healthy when this resolves; gone when the test is over. */
export async function startBridge(options: BridgeOptions): Promise<BridgeProcess> {
  const port = await freePort();
  const child = spawn(process.execPath, [MAIN], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      EC_BRIDGE_DB_URL: options.dbUrl,
      EC_MQTT_URL: options.mqttUrl,
      EC_MQTT_PASSWORD: options.password,
      EC_BRIDGE_PORT: String(port),
      ...options.env,
    },
  });
  const logs: Array<Record<string, unknown>> = [];
  let rest = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) logs.push(line.startsWith('{') ? JSON.parse(line) : { text: line });
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  onTestFinished(() => void child.kill('SIGKILL'));
  const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`);
  const bridge: BridgeProcess = {
    child,
    logs,
    async health() {
      const response = await get('/health');
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
    async metric(name) {
      const text = await (await get('/metrics')).text();
      const line = text.split('\n').find((l) => l.startsWith(`${name} `));
      if (!line) throw new Error(`no metric ${name}`);
      return Number(line.slice(name.length + 1));
    },
    async stop() {
      const from = Date.now();
      child.kill('SIGTERM');
      return { code: await exited, ms: Date.now() - from };
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`the bridge ended: ${JSON.stringify(logs)}`);
    return (await bridge.health().catch(() => undefined))?.status === 200;
  }, 'the bridge is healthy').catch((error: Error) => {
    throw new Error(`${error.message}\n${logs.map((line) => JSON.stringify(line)).join('\n')}`);
  });
  return bridge;
}
