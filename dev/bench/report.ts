/** Writes dev/bench/README.md from the results beside it. Every number in it comes from a result file. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readResults } from './lab/results.ts';
import { renderReport } from './report/render.ts';

writeFileSync(join(import.meta.dirname, 'README.md'), renderReport(readResults()));
