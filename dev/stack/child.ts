import { spawn, type ChildProcess } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

export interface ChildOptions {
  command: string;
  args: string[];
  /** The whole environment; nothing is inherited that is not in here. */
  env: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** Everything the child prints is appended to this file. */
  logFile: string;
  /** Sees every line the child prints. */
  onLine?: (line: string) => void;
}

export interface Child {
  readonly pid: number;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Ends the child and its own children; resolves when it is gone. */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<void>;
  /** The last lines it printed, for an error message. */
  tail(lines?: number): string;
  isRunning(): boolean;
}

const running = new Set<Child>();
let noteChild = (_pid: number): void => {};

/** Tells somebody about every child that starts. */
export function onChildStart(note: (pid: number) => void): void {
  noteChild = note;
}

/**
 * Starts a program in its own process group, so that Ctrl-C in a terminal reaches only the stack, which then
 * ends its parts in order.
 */
export function startChild(options: ChildOptions): Child {
  mkdirSync(dirname(options.logFile), { recursive: true });
  const log = createWriteStream(options.logFile, { flags: 'a' });
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: options.env,
    uid: options.uid,
    gid: options.gid,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const recent: string[] = [];
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('error', (error) => {
      recent.push(error.message);
      resolve({ code: 127, signal: null });
    });
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  for (const stream of [child.stdout, child.stderr]) followLines(stream, log, recent, options.onLine);
  const handle: Child = {
    pid: child.pid ?? 0,
    exited,
    isRunning: () => child.pid !== undefined && child.exitCode === null && child.signalCode === null,
    tail: (lines = 12) =>
      recent
        .filter((line) => !/^ +at /.test(line))
        .slice(-lines)
        .join('\n'),
    stop: (signal = 'SIGTERM', graceMs = 4000) => stopGroup(child, handle, exited, signal, graceMs),
  };
  running.add(handle);
  if (handle.pid > 0) noteChild(handle.pid);
  void exited.then(() => {
    running.delete(handle);
    log.end();
  });
  return handle;
}

function followLines(
  stream: NodeJS.ReadableStream | null,
  log: NodeJS.WritableStream,
  recent: string[],
  onLine: ((line: string) => void) | undefined,
): void {
  let rest = '';
  stream?.setEncoding('utf8').on('data', (text: string) => {
    log.write(text);
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      recent.push(stripVTControlCharacters(line));
      if (recent.length > 60) recent.shift();
      onLine?.(line);
    }
  });
}

async function stopGroup(
  child: ChildProcess,
  handle: Child,
  exited: Promise<unknown>,
  signal: NodeJS.Signals,
  graceMs: number,
): Promise<void> {
  if (!handle.isRunning()) return;
  child.kill(signal);
  const timer = setTimeout(() => killGroup(handle.pid), graceMs);
  await exited;
  clearTimeout(timer);
  // Whatever the child itself had started and left behind.
  killGroup(handle.pid);
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group is empty: nothing to end.
  }
}

/** The last resort when the process must go now; synchronous. */
export function killAllChildren(): void {
  for (const child of running) killGroup(child.pid);
}

/** Runs a program to its end, or until told to stop. Rejects with its last lines when it fails. */
export async function runChild(options: ChildOptions, abort?: AbortSignal): Promise<void> {
  abort?.throwIfAborted();
  const child = startChild(options);
  const stop = (): void => void child.stop('SIGTERM', 1000);
  abort?.addEventListener('abort', stop, { once: true });
  const { code, signal } = await child.exited;
  abort?.removeEventListener('abort', stop);
  abort?.throwIfAborted();
  if (code !== 0) throw new Error(`${child.tail(25)}\n(${options.command} ended with ${code ?? signal})`);
}
