import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { onChildStart } from './child.ts';
import { captureConsole } from './console-log.ts';
import type { Context, Part, RunningPart } from './context.ts';
import { addresses, type Facts } from './facts.ts';
import { lockDataDir } from './lock.ts';
import { PARTS, type PartName, type StackOptions } from './options.ts';
import { parts } from './parts/index.ts';
import { choosePorts, type PortName } from './ports.ts';
import { loadSecrets } from './secrets.ts';
import { ensureTls } from './tls.ts';

export interface Report {
  say(sentence: string): void;
  /** A part answers, after so many milliseconds of its own. */
  started(part: PartName, ms: number): void;
  /** A part that ran cannot go on. */
  failed(sentence: string): void;
}

export interface RunningStack {
  readonly facts: Facts;
  readonly context: Context;
  stop(): Promise<void>;
}

/** The chosen parts and everything they need, in the order of PARTS. */
export function withNeeds(chosen: PartName[]): PartName[] {
  const all = new Set<PartName>();
  const add = (name: PartName): void => {
    all.add(name);
    parts[name].needs.forEach(add);
  };
  chosen.forEach(add);
  return PARTS.filter((name) => all.has(name));
}

/** Starts the chosen parts, each as soon as what it needs answers. Stops everything again when one fails. */
export async function startStack(
  options: StackOptions,
  report: Report,
  signal: AbortSignal,
): Promise<RunningStack> {
  const names = withNeeds(options.parts);
  const lock = await lockDataDir(options.dataDir);
  onChildStart((pid) => lock.noteChild(pid));
  const stops: { name: PartName; part: RunningPart }[] = [];
  const stop = async (): Promise<void> => {
    for (let next = stops.pop(); next; next = stops.pop()) await next.part.stop().catch(() => {});
    lock.release();
  };
  // The first part that fails ends the others' starting as well.
  const giveUp = new AbortController();
  try {
    const context = await makeContext(options, names, report, AbortSignal.any([signal, giveUp.signal]));
    await startAll(names, context, stops, report, giveUp);
    return { facts: addresses(context), context, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startAll(
  names: PartName[],
  context: Context,
  stops: { name: PartName; part: RunningPart }[],
  report: Report,
  giveUp: AbortController,
): Promise<void> {
  const starting = new Map<PartName, Promise<void>>();
  const start = async (name: PartName, part: Part): Promise<void> => {
    const preparing = part.prepare?.(context);
    preparing?.catch(() => {});
    for (const need of part.needs) await starting.get(need);
    context.signal.throwIfAborted();
    const begin = performance.now();
    const running = await part.start(context, await preparing);
    if (!running) return;
    stops.push({ name, part: running });
    context.signal.throwIfAborted();
    const ms = performance.now() - begin;
    context.log(name, 'started', { ms: Math.round(ms) });
    report.started(name, ms);
  };
  const failures: unknown[] = [];
  for (const name of names) {
    const begun = start(name, parts[name]);
    begun.catch((error: unknown) => {
      failures.push(error);
      giveUp.abort(error);
    });
    starting.set(name, begun);
  }
  // All of them, so that nothing comes up after what had started was stopped.
  await Promise.allSettled(starting.values());
  if (failures.length > 0) throw failures[0];
}

const PORTS_OF: Partial<Record<PartName, PortName[]>> = {
  db: ['postgres'],
  mail: ['mail'],
  auth: ['supabase'],
  api: ['api'],
  worker: ['worker'],
  broker: ['mqtt', 'mqtts'],
  bridge: ['metrics'],
  web: ['web', 'site'],
};

async function makeContext(
  options: StackOptions,
  names: PartName[],
  report: Report,
  signal: AbortSignal,
): Promise<Context> {
  const logs = join(options.dataDir, 'logs');
  mkdirSync(logs, { recursive: true });
  const log = (part: string, message: string, more?: Record<string, unknown>): void =>
    appendFileSync(
      join(logs, 'stack.log'),
      `${JSON.stringify({ at: new Date().toISOString(), part, message, ...more })}\n`,
    );
  captureConsole(log);
  return {
    options,
    ports: await choosePorts(
      options.portBase,
      names.flatMap((name) => PORTS_OF[name] ?? []),
    ),
    secrets: loadSecrets(options.dataDir),
    dataDir: options.dataDir,
    signal,
    has: (part) => names.includes(part),
    log,
    say: report.say,
    fail(sentence) {
      log('stack', sentence);
      report.failed(sentence);
    },
    logFile: (part) => join(logs, `${part}.log`),
    tls: await ensureTls(options.dataDir),
  };
}
