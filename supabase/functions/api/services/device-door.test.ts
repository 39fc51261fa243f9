import { expect, it } from 'vitest';
import { DeviceDoor } from './device-door.ts';
import type { DoorCall, DoorResult, Ingest } from './device-door.ts';

const request = (serial: string, packets = 1) => ({
  serial,
  secretHash: 'h',
  parsed: {
    readings: Array.from({ length: packets }, (_, r) => ({ d: { a: 1 }, r, t: null, q: null })),
    rejects: [],
  },
});
const result = (call: DoorCall): DoorResult & { i: number } => ({
  i: call.i,
  ok: call.s !== 'wrong',
  accepted: call.p.length,
  duplicate: 0,
  rejected: 0,
  reboot: false,
});

/** An ingest whose calls end when the test says so. */
function manual(answer: Ingest = async (calls) => calls.map(result)) {
  const groups: string[][] = [];
  const gates: (() => void)[] = [];
  const ingest: Ingest = async (calls) => {
    groups.push(calls.map((call) => call.s));
    await new Promise<void>((open) => gates.push(open));
    return answer(calls);
  };
  const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const open = async (): Promise<void> => {
    while (gates.length === 0) await nextTurn();
    gates.shift()?.();
  };
  /** Opens gate after gate until the work is done. */
  const openUntil = async (work: Promise<unknown>): Promise<void> => {
    let done = false;
    void work.then(() => (done = true));
    while (!done) {
      gates.shift()?.();
      await nextTurn();
    }
  };
  return { groups, ingest, open, openUntil };
}

it('a lone request goes at once, those that arrive meanwhile go together', async () => {
  const { groups, ingest, open } = manual();
  const door = new DeviceDoor(ingest);
  const all = [
    door.submit(request('a')),
    door.submit(request('b')),
    door.submit(request('wrong')),
    door.submit(request('c')),
  ];
  await open();
  expect(await all[0]).toMatchObject({ ok: true });
  await open();
  expect((await Promise.all(all)).map((r) => r.ok)).toEqual([true, true, false, true]);
  expect(groups).toEqual([['a'], ['b', 'wrong', 'c']]);
});

it('a request that Postgres refuses loses only itself', async () => {
  const { ingest, openUntil } = manual(async (calls) => {
    if (calls.some((call) => call.s === 'poison')) throw Object.assign(new Error('bad'), { code: '22P02' });
    return calls.map(result);
  });
  const door = new DeviceDoor(ingest);
  const all = ['first', 'a', 'poison', 'b', 'c'].map((serial) => door.submit(request(serial)));
  const settled = Promise.allSettled(all);
  await openUntil(settled);
  expect((await settled).map((r) => r.status)).toEqual([
    'fulfilled',
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
  ]);
});

it('a database that is down fails the whole group once, without trying one by one', async () => {
  let calls = 0;
  const door = new DeviceDoor(async () => {
    calls++;
    throw Object.assign(new Error('gone'), { code: 'CONNECTION_CLOSED' });
  });
  const all = await Promise.allSettled(['a', 'b', 'c'].map((serial) => door.submit(request(serial))));
  expect(all.map((r) => r.status === 'rejected' && (r.reason as { code: string }).code)).toEqual(
    Array(3).fill('unavailable'),
  );
  expect(calls).toBe(2);
});

it('groups stay within 500 requests and 2,000 packets', async () => {
  const { groups, ingest, openUntil } = manual();
  const door = new DeviceDoor(ingest);
  const all = [door.submit(request('first'))];
  for (let n = 0; n < 3; n++) all.push(door.submit(request(`big-${n}`, 1000)));
  for (let n = 0; n < 600; n++) all.push(door.submit(request(`small-${n}`)));
  const settled = Promise.all(all);
  await openUntil(settled);
  expect(groups.map((group) => group.length)).toEqual([1, 2, 500, 101]);
});
