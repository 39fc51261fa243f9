import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { StackFailure } from './failure.ts';
import { root } from './paths.ts';

export const PARTS = [
  'db',
  'mail',
  'auth',
  'api',
  'worker',
  'realtime',
  'cron',
  'broker',
  'bridge',
  'web',
  'demo',
] as const;
export type PartName = (typeof PARTS)[number];

export interface StackOptions {
  /** Machine form: one JSON line on stdout, nothing else. */
  json: boolean;
  portBase: number | undefined;
  dataDir: string;
  parts: PartName[];
  broker: 'embedded' | 'mosquitto';
  brokerDurable: boolean;
  help: boolean;
}

export const USAGE = `npm start -- [options]
  --json               print one JSON line when everything answers, and nothing else, on stdout
  --no-demo            start empty instead of with the demo organisation and its simulated fleet
  --port-base N        use the ports N to N+99 (default: 4300, or the next free block)
  --data-dir DIR       keep data there (default: .ec in the repository)
  --only a,b           start these parts and what they need: ${PARTS.join(', ')}
  --broker KIND        embedded (default) or mosquitto (an installed one)
  --broker-durable     the broker keeps accepted messages on disk before it acknowledges them`;

/** Reads the command line. Throws a StackFailure naming what was not understood. */
export function parseOptions(args: string[]): StackOptions {
  const { values } = parse(args);
  const portBase = values['port-base'] === undefined ? undefined : Number(values['port-base']);
  if (portBase !== undefined && !(Number.isInteger(portBase) && portBase >= 1024 && portBase <= 65436))
    throw new StackFailure(`--port-base ${values['port-base']} is not a port between 1024 and 65436.`);
  const broker = values.broker ?? 'embedded';
  if (broker !== 'embedded' && broker !== 'mosquitto')
    throw new StackFailure(`--broker ${broker} is unknown: use embedded or mosquitto.`);
  return {
    json: values.json,
    portBase,
    dataDir: resolve(process.env['INIT_CWD'] ?? process.cwd(), values['data-dir'] ?? resolve(root, '.ec')),
    parts: chooseParts(values.only, values['no-demo']),
    broker,
    brokerDurable: values['broker-durable'],
    help: values.help,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        json: { type: 'boolean', default: false },
        'no-demo': { type: 'boolean', default: false },
        'port-base': { type: 'string' },
        'data-dir': { type: 'string' },
        only: { type: 'string' },
        broker: { type: 'string' },
        'broker-durable': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new StackFailure(`${(error as Error).message}\n\n${USAGE}`);
  }
}

function chooseParts(only: string | undefined, noDemo: boolean): PartName[] {
  const wanted =
    only === undefined
      ? [...PARTS]
      : only
          .split(',')
          .map((name) => name.trim())
          .filter(Boolean);
  for (const name of wanted)
    if (!(PARTS as readonly string[]).includes(name))
      throw new StackFailure(`There is no part "${name}": choose from ${PARTS.join(', ')}.`);
  return PARTS.filter((name) => wanted.includes(name) && !(noDemo && name === 'demo'));
}
