/** `npm run bench`: what can be measured and how to start it. */
import { BENCHES } from './benches.ts';

const lines = BENCHES.map(
  ({ name, takes, what }) => `  node dev/bench/${`${name}.ts`.padEnd(14)} ${what} (${takes})`,
);
process.stdout.write(
  `Benches, each with sane defaults; close what else runs on the machine first:\n\n${lines.join('\n')}\n\n` +
    `  node dev/bench/report.ts      writes dev/bench/README.md from what was measured last\n\n` +
    `Options of all: --name (keep the published numbers as they are), --data-dir, --port-base.\n`,
);
