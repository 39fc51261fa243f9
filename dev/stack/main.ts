import { killAllChildren } from './child.ts';
import { messageOf, StackFailure } from './failure.ts';
import { parseOptions, USAGE, type StackOptions } from './options.ts';
import { progress, welcome } from './screen.ts';
import { startStack, type RunningStack } from './stack.ts';

/** Everything must be gone within 10 seconds of a signal; what is not by then is ended without asking. */
const STOP_LIMIT_MS = 8500;

const stopping = new AbortController();
let stack: RunningStack | undefined;
let starting: Promise<unknown> = Promise.resolve();

function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}

async function end(code: number): Promise<never> {
  if (stopping.signal.aborted) return new Promise(() => {});
  stopping.abort(new StackFailure('Stopped while starting.'));
  setTimeout(() => {
    killAllChildren();
    process.exit(code || 1);
  }, STOP_LIMIT_MS).unref();
  // A part that is still starting stops by itself: its children end now, and what had started stops in order.
  if (stack) await stack.stop();
  else await starting.catch(() => {});
  killAllChildren();
  process.exit(code);
}

async function run(options: StackOptions): Promise<void> {
  const report = progress((sentence) => {
    say(sentence);
    void end(1);
  });
  starting = startStack(options, report, stopping.signal).then((running) => (stack = running));
  await starting;
  if (stopping.signal.aborted || !stack) return;
  if (options.json) process.stdout.write(`${JSON.stringify(stack.facts)}\n`);
  else process.stdout.write(welcome(stack));
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    const interrupted = stack === undefined;
    if (!stopping.signal.aborted) say('Stopping …');
    void end(interrupted ? 130 : 0);
  });
}

for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    say(`The stack failed: ${error instanceof Error ? error.stack : String(error)}`);
    void end(1);
  });
}
process.on('exit', killAllChildren);

// The bootstrap passes signals on; when it was killed itself nobody can stop this process any more.
const bootstrap = Number(process.env['EC_BOOTSTRAP_PID'] ?? 0);
if (bootstrap > 0 && process.ppid === bootstrap)
  setInterval(() => void (process.ppid === bootstrap || end(1)), 500).unref();

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) say(USAGE);
  else await run(options);
} catch (error) {
  if (!stopping.signal.aborted) {
    say(error instanceof StackFailure ? error.message : `The stack could not start: ${messageOf(error)}`);
    if (process.env['EC_DEBUG'] && error instanceof Error) say(String(error.stack));
    killAllChildren();
    process.exit(1);
  }
}
