/**
 * The gate: `npm run check`. Every step runs, and a failure names the file and the fix.
 *
 *   npm run check -- [--only name,name] [--fix] [--list]
 *
 * Exit code 0 when everything holds, 1 when something does not, 2 for a wrong call.
 */
import { parseArgs } from 'node:util';
import { runGate } from './check/run-gate.ts';
import { steps } from './check/steps.ts';

const { values } = parseArgs({
  options: { only: { type: 'string' }, fix: { type: 'boolean' }, list: { type: 'boolean' } },
});

if (values.list) {
  for (const step of steps) console.log(`${step.name.padEnd(12)} ${step.what}`);
  process.exit(0);
}

const wanted = values.only?.split(',');
const unknown = wanted?.find((name) => !steps.some((step) => step.name === name));
if (unknown) {
  console.error(`There is no step "${unknown}". Steps: ${steps.map((step) => step.name).join(', ')}.`);
  process.exit(2);
}

const chosen = steps.filter((step) => !wanted || wanted.includes(step.name));
const { failed, seconds } = await runGate(chosen, values.fix);

if (failed.length > 0) {
  console.log(`\nThe gate is closed (${seconds.toFixed(0)} s): ${failed.join(', ')}.`);
  console.log(`Again: npm run check -- --only ${failed.join(',')}`);
  process.exit(1);
}
console.log(`\nThe gate is open (${seconds.toFixed(0)} s).`);
