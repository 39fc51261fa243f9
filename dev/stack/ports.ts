import { createServer } from 'node:net';
import { StackFailure } from './failure.ts';

/** What listens on base + offset. One block of 100 belongs to one stack. */
export const OFFSETS = {
  web: 0,
  supabase: 1,
  postgres: 2,
  api: 3,
  worker: 4,
  mqtt: 5,
  mqtts: 6,
  mail: 7,
  metrics: 8,
  site: 9,
} as const;

export type PortName = keyof typeof OFFSETS;
export type Ports = Record<PortName, number>;

/** Where people who give no `--port-base` find the stack. */
const FRIENDLY_BASE = 4300;
const BLOCKS = 20;

export const portsFrom = (base: number): Ports =>
  Object.fromEntries(Object.entries(OFFSETS).map(([name, offset]) => [name, base + offset])) as Ports;

/** The block to use: the one asked for, or the first free one. Fails when a needed port of it is taken. */
export async function choosePorts(base: number | undefined, needed: PortName[]): Promise<Ports> {
  if (base !== undefined) {
    const taken = await firstTaken(portsFrom(base), needed);
    if (taken)
      throw new StackFailure(
        `Port ${base + OFFSETS[taken]} (${taken}) is taken: free it or choose another --port-base.`,
      );
    return portsFrom(base);
  }
  for (let block = 0; block < BLOCKS; block++) {
    const ports = portsFrom(FRIENDLY_BASE + block * 100);
    if (!(await firstTaken(ports, needed))) return ports;
  }
  throw new StackFailure(`No free block of ports from ${FRIENDLY_BASE} on: choose one with --port-base.`);
}

/** The first of the needed ports that something listens on. */
export async function firstTaken(ports: Ports, needed: PortName[]): Promise<PortName | undefined> {
  for (const name of needed) if (!(await isFree(ports[name]))) return name;
  return undefined;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
