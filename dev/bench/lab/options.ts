import { parseArgs } from 'node:util';
import { DEFAULT_DATA_DIR } from './lab.ts';

/** Options every bench has. */
export interface Common {
  dataDir: string;
  portBase: number;
  /** Name of the result file; another one keeps the published numbers as they are. */
  name: string;
}

/** Reads numbers (and a few words) from the command line; what is not given keeps its default. */
export function benchOptions<Own extends Record<string, string | number>>(
  name: string,
  own: Own,
): { common: Common; own: Own } {
  const { values } = parseArgs({
    options: {
      ...Object.fromEntries(Object.keys(own).map((key) => [key, { type: 'string' as const }])),
      name: { type: 'string', default: name },
      'data-dir': { type: 'string', default: DEFAULT_DATA_DIR },
      'port-base': { type: 'string', default: '21600' },
    },
  });
  const given = values as Record<string, string | undefined>;
  const read = Object.entries(own).map(([key, standard]) => {
    const text = given[key];
    if (text === undefined) return [key, standard];
    if (typeof standard === 'string') return [key, text];
    if (!Number.isFinite(Number(text))) throw new Error(`--${key} must be a number`);
    return [key, Number(text)];
  });
  return {
    common: {
      dataDir: given['data-dir'] ?? DEFAULT_DATA_DIR,
      portBase: Number(given['port-base']),
      name: given['name'] ?? name,
    },
    own: Object.fromEntries(read) as Own,
  };
}
