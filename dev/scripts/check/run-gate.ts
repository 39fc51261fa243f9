import { availableParallelism } from 'node:os';
import { steps, type Step } from './steps.ts';

export interface GateResult {
  passed: string[];
  failed: string[];
  seconds: number;
}

/** Runs the steps, two at a time, printing a line for each and what is wrong under those that fail. */
export async function runGate(chosen: Step[] = steps, fix = false): Promise<GateResult> {
  const started = performance.now();
  const queue = [...chosen];
  const result: GateResult = { passed: [], failed: [], seconds: 0 };

  const worker = async () => {
    for (let step = queue.shift(); step; step = queue.shift()) {
      const began = performance.now();
      const output = await step.run({ fix }).catch((error: unknown) => String(error));
      report(step, output, performance.now() - began);
      result[output === '' ? 'passed' : 'failed'].push(step.name);
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, worker));
  result.seconds = (performance.now() - started) / 1000;
  return result;
}

function report(step: Step, output: string, ms: number): void {
  const verdict = output === '' ? 'ok  ' : 'FAIL';
  console.log(`${verdict} ${step.name.padEnd(12)} ${(ms / 1000).toFixed(1).padStart(5)} s  ${step.what}`);
  if (output !== '') console.log(`${output.trimEnd()}\n`);
}
