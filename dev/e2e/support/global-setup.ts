import { readFileSync } from 'node:fs';
import type { TestProject } from 'vitest/node';
import { startStack, type Facts } from '../../stack/testing.ts';

/** Addresses of a system in which every part runs. */
export type World = { [Name in keyof Facts]: NonNullable<Facts[Name]> };

declare module 'vitest' {
  interface ProvidedContext {
    world: World;
  }
}

/**
 * One system with its demo for all browser flows of a run.
 * EC_E2E_FACTS may name a file with the JSON line of one that runs already, to work on a flow without waiting.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const running = process.env['EC_E2E_FACTS'];
  if (running) {
    project.provide('world', JSON.parse(readFileSync(running, 'utf8')) as World);
    return async () => {};
  }
  // All flows come from one address; what an address may do is tested with the API.
  const stack = await startStack({ demo: true, env: { EC_ADDRESS_LIMITS: 'off' } });
  project.provide('world', stack.facts as World);
  return async () => {
    await stack.stop();
  };
}
