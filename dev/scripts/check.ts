/**
 * The gate: `npm run check`. Every step runs, two at a time, and a failure names the file and the fix.
 *
 *   check.ts [--only name,name] [--fix] [--list]
 *
 * Exit code 0 when everything holds, 1 otherwise.
 */
import { parseArgs } from 'node:util';
import { availableParallelism } from 'node:os';
import { steps, type Step } from './check/steps.ts';

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

const started = performance.now();
const queue = steps.filter((step) => !wanted || wanted.includes(step.name));
const failed: string[] = [];

async function work(): Promise<void> {
  for (let step = queue.shift(); step; step = queue.shift()) await report(step);
}

async function report(step: Step): Promise<void> {
  const began = performance.now();
  const output = await step.run({ fix: values.fix ?? false }).catch((error: unknown) => String(error));
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(
    `${output === '' ? 'ok  ' : 'FAIL'} ${step.name.padEnd(12)} ${seconds.padStart(5)} s  ${step.what}`,
  );
  if (output === '') return;
  failed.push(step.name);
  console.log(`${output.trimEnd()}\n`);
}

await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, work));

const total = ((performance.now() - started) / 1000).toFixed(0);
if (failed.length > 0) {
  console.log(
    `\nThe gate is closed after ${total} s: ${failed.join(', ')}. Again: npm run check -- --only ${failed.join(',')}`,
  );
  process.exit(1);
}
console.log(`\nThe gate is open (${total} s).`);
