import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { BrokerAgent } from '../../../mqtt-bridge/src/broker-agent/agent.ts';
import { signalPidFile } from '../../../mqtt-bridge/src/broker-agent/signal.ts';
import { Database } from '../../../mqtt-bridge/src/db.ts';
import type { Broker, BrokerOptions } from './index.ts';
import { mosquittoConfig } from './mosquitto-config.ts';

const RESTART_MS = 500;
/** Mosquitto beside a watcher of our end of the pipe: it goes when this process does, even by kill -9. */
const TIED = [
  'exec 3<&0; "$0" -c "$1" 3<&- & broker=$!',
  '(cat <&3 >/dev/null; kill -TERM $broker) & watcher=$!',
  'wait $broker; code=$?; kill $watcher 2>/dev/null; exit $code',
].join('\n');

/** An installed Mosquitto under our configuration, and the broker agent that feeds it credentials. */
export async function startMosquitto(options: BrokerOptions): Promise<Broker> {
  const { log, dataDir } = options;
  const binary = findMosquitto();
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const files = {
    config: join(dataDir, 'mosquitto.conf'),
    pid: join(dataDir, 'mosquitto.pid'),
    passwords: join(dataDir, 'passwords'),
    acl: join(dataDir, 'acl'),
  };
  await endLeftover(files.pid, files.config);
  await assertFree(options.mqttPort, '127.0.0.1');
  await assertFree(options.mqttsPort, options.host ?? '127.0.0.1');
  writeFileSync(files.config, mosquittoConfig({ ...options, ...files, user: userInfo().username }), {
    mode: 0o600,
  });

  let child: ChildProcess | undefined;
  let stopping = false;
  const db = new Database(options.dbUrl, { max: 1, name: 'ec-broker-agent', log });
  const agent = new BrokerAgent({
    db,
    dbUrl: options.dbUrl,
    passwordFile: files.passwords,
    aclFile: files.acl,
    bridgePassword: options.bridgePassword,
    reload: () => signal(files.pid, 'SIGHUP'),
    log,
  });
  await agent.start();

  const launch = (): ChildProcess => {
    rmSync(files.pid, { force: true });
    const started = spawn('/bin/sh', ['-c', TIED, binary, files.config], { stdio: 'pipe' });
    started.stdin.on('error', () => {}); // nothing is ever written to it
    for (const stream of [started.stdout, started.stderr])
      createInterface({ input: stream }).on('line', (line) => log('debug', line, { from: 'mosquitto' }));
    started.on('exit', (code) => {
      started.stdin.destroy();
      if (stopping) return;
      log('error', 'mosquitto ended by itself, starting it again', { code });
      setTimeout(() => {
        if (!stopping) child = launch();
      }, RESTART_MS);
    });
    return started;
  };
  child = launch();
  const stop = async (): Promise<void> => {
    stopping = true;
    await agent.stop();
    await db.close();
    if (child) await end(child, files.pid);
  };
  let stopped: Promise<void> | undefined;
  try {
    await answers(options.mqttPort, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop: () => (stopped ??= stop()) };
}

function findMosquitto(): string {
  const places = (process.env['PATH'] ?? '')
    .split(delimiter)
    .concat('/usr/sbin', '/usr/local/sbin', '/opt/homebrew/sbin');
  const found = places.map((place) => join(place, 'mosquitto')).find((path) => existsSync(path));
  if (!found)
    throw new Error(
      'Mosquitto is not installed: install mosquitto 2.0 or newer, or leave out --broker mosquitto.',
    );
  const version = /version (\d+)\.(\S+)/.exec(spawnSync(found, ['-h'], { encoding: 'utf8' }).stdout ?? '');
  if (!version || Number(version[1]) < 2)
    throw new Error(
      `Mosquitto 2.0 or newer is needed; ${found} is ${version?.[0] ?? 'of an unknown version'}.`,
    );
  return found;
}

/** A Mosquitto of ours whose parent was killed still holds the ports; anybody else's is left alone. */
async function endLeftover(pidFile: string, configFile: string): Promise<void> {
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, 'utf8').trim());
  rmSync(pidFile, { force: true });
  if (!Number.isInteger(pid) || pid <= 1) return;
  const command = (): string =>
    spawnSync('ps', ['-p', String(pid), '-o', 'args='], { encoding: 'utf8' }).stdout ?? '';
  if (!command().includes(configFile)) return;
  process.kill(pid, 'SIGTERM');
  for (let i = 0; i < 50 && command().includes(configFile); i++) await sleep(100);
}

function assertFree(port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', () => reject(new Error(`Port ${port} is already in use by another program.`)));
    probe.listen(port, host, () => probe.close(() => resolve()));
  });
}

async function answers(port: number, child: ChildProcess): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error('Mosquitto ended at once; its log line above says why.');
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    await sleep(50);
  }
  throw new Error(`Mosquitto does not answer on port ${port}.`);
}

/** To Mosquitto itself; while it is starting it has no pid_file and reads everything anyway. */
function signal(pidFile: string, name: NodeJS.Signals): void {
  try {
    signalPidFile(pidFile, name);
  } catch {
    return;
  }
}

/** SIGTERM makes Mosquitto write its sessions to the disk; only one that hangs is killed. */
async function end(child: ChildProcess, pidFile: string): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.stdin?.end();
  const timer = setTimeout(() => signal(pidFile, 'SIGKILL'), 5_000);
  await exited;
  clearTimeout(timer);
}
