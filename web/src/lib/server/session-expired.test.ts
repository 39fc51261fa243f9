import { expect, it } from 'vitest';
import { isEnhancedPost, sessionExpired } from './session-expired.ts';

it('reads like the reply of a form action, so the form keeps its fields', async () => {
  const answer = sessionExpired();
  const result = (await answer.json()) as { type: string; status: number; data: string };
  expect(answer.status).toBe(401);
  expect(result).toMatchObject({ type: 'failure', status: 401 });
  // As devalue writes { sessionExpired: true, message: '…' }.
  const [shape, ...values] = JSON.parse(result.data) as [Record<string, number>, ...unknown[]];
  expect(shape).toEqual({ sessionExpired: 1, message: 2 });
  expect(values).toEqual([true, expect.stringContaining('Sign in again')]);
});

it('is only for posts that a script sent', () => {
  const post = (headers: Record<string, string>, method = 'POST') => ({
    request: new Request('http://here.invalid/x', { method, headers }),
  });
  expect(isEnhancedPost(post({ 'x-sveltekit-action': 'true' }))).toBe(true);
  expect(isEnhancedPost(post({}))).toBe(false);
  expect(isEnhancedPost(post({ 'x-sveltekit-action': 'true' }, 'GET'))).toBe(false);
});
