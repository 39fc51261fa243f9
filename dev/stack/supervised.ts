import { startChild, type Child, type ChildOptions } from './child.ts';
import type { Context, RunningPart } from './context.ts';
import { StackFailure } from './failure.ts';

export interface SupervisedOptions {
  /** For sentences and the name of the log file. */
  name: string;
  child: Omit<ChildOptions, 'logFile'>;
  /** Answers, with anything below 500, when the part works. */
  healthUrl: string;
  /** How long the first answer may take. */
  startLimitMs?: number;
}

const RESTART_MS = [200, 1000, 3000, 10_000];

/**
 * Runs a part as a child process: waits until it answers, starts it again when it crashes later. Rejects with
 * its last words when it never answers.
 */
export async function superviseChild(context: Context, options: SupervisedOptions): Promise<RunningPart> {
  const start = (): Child => startChild({ ...options.child, logFile: context.logFile(options.name) });
  let child = start();
  let stopping = false;
  const stop = async (): Promise<void> => {
    stopping = true;
    await child.stop();
  };
  const giveUp = (): void => void stop();
  context.signal.addEventListener('abort', giveUp, { once: true });
  try {
    await untilHealthy(child, options, context.signal);
  } catch (error) {
    await stop();
    throw error;
  } finally {
    context.signal.removeEventListener('abort', giveUp);
  }
  let restarts = 0;
  let retry: NodeJS.Timeout | undefined;
  const watch = (): void => {
    const startedAt = Date.now();
    void child.exited.then(({ code, signal }) => {
      if (stopping) return;
      // A part that ran well for a minute starts its patience anew.
      if (Date.now() - startedAt > 60_000) restarts = 0;
      const wait = RESTART_MS[Math.min(restarts, RESTART_MS.length - 1)] ?? 10_000;
      restarts += 1;
      context.log(options.name, 'ended unexpectedly, starting again', { code, signal, wait_ms: wait });
      retry = setTimeout(() => {
        child = start();
        watch();
      }, wait);
    });
  };
  watch();
  return {
    async stop() {
      clearTimeout(retry);
      await stop();
    },
  };
}

async function untilHealthy(child: Child, options: SupervisedOptions, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + (options.startLimitMs ?? 60_000);
  for (;;) {
    signal.throwIfAborted();
    if (!child.isRunning()) throw new StackFailure(`${options.name} did not start:\n${child.tail()}`);
    if (await answers(options.healthUrl)) return;
    if (Date.now() > deadline) throw new StackFailure(`${options.name} does not answer:\n${child.tail()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(2000) });
    await response.body?.cancel();
    return response.status < 500;
  } catch {
    return false;
  }
}
