import { readConfig, type Config } from './config.ts';
import { Controller } from './controller.ts';
import { errorText, jsonLog } from './log.ts';

/** A stop that takes longer is cut off; what was not acknowledged, the broker sends again. */
const STOP_MS = 5_000;

function configOrExit(): Config {
  try {
    return readConfig(process.env);
  } catch (error) {
    process.stderr.write(`${errorText(error)}\n`);
    process.exit(2);
  }
}

const config = configOrExit();
const log = jsonLog({ part: 'bridge' }, config.logLevel);
const controller = new Controller(config, log);

let stopping = false;
async function stop(signal: string): Promise<void> {
  if (stopping) return;
  stopping = true;
  log('info', 'stopping', { signal });
  setTimeout(() => {
    log('warn', 'stopped by force, the broker sends the rest again');
    process.exit(0);
  }, STOP_MS).unref();
  await controller.stop();
  log('info', 'stopped');
  process.exit(0);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.on(signal, () => {
    stop(signal).catch((error) => {
      log('error', 'stop failed', { error: errorText(error) });
      process.exit(1);
    });
  });
// State after an unexpected error is unknown; dying is safe (nothing unstored is acknowledged), going on is not.
for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (error: unknown) => {
    log('error', event, { error: errorText(error), stack: (error as Error | null)?.stack });
    process.exit(1);
  });

try {
  await controller.start();
  log('info', 'started', { roles: config.roles });
} catch (error) {
  log('error', 'cannot start', { error: errorText(error) });
  process.exit(1);
}
