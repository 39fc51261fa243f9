import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isAlive, type ProcessIdentity } from '../process-identity.ts';
import { startStack, type TestStack } from '../testing.ts';

let stack: TestStack;

beforeAll(async () => {
  stack = await startStack({ only: ['api'] });
});

afterAll(async () => {
  await stack?.stop();
});

const newestChild = (): ProcessIdentity =>
  JSON.parse(
    readFileSync(join(stack.dataDir, 'children.jsonl'), 'utf8').trim().split('\n').at(-1) ?? '',
  ) as ProcessIdentity;

const health = async (): Promise<number> => (await fetch(`${stack.facts.api_url}/health`)).status;

test('the API function answers under its public path', async () => {
  expect(await health()).toBe(200);
});

test('a function that crashes is started again', async () => {
  const function_ = newestChild();
  process.kill(function_.pid, 'SIGKILL');
  await expect.poll(() => isAlive(function_)).toBe(false);
  await expect.poll(health, { timeout: 20_000 }).toBe(200);
  expect(newestChild()).not.toEqual(function_);
});
