import { expect, it } from 'vitest';
import type { Queryable } from './db.ts';
import { RetainedState } from './retained.ts';
import type { OutboxRow } from './sql/claim-mqtt-outbox.ts';

const row = (id: string, retain: boolean): OutboxRow => ({
  ...{ id, serial: 'A', topic: 'devices/A/config', payload: '{}' },
  ...{ qos: 1, retain, expires_in_ms: null },
});

/** A broker with one retained message, and what the database would say. */
function setUp(marker: string | null, mark: string | null) {
  const world = { marker, restored: 0, away: false };
  const db: Queryable = {
    async query<R extends object>(_sql: string, _values?: unknown[], name = ''): Promise<R[]> {
      if (world.away) throw new Error('ECONNREFUSED');
      if (name === 'restore_retained') world.restored++;
      return [{ mark }] as unknown as R[];
    },
  };
  const state = new RetainedState({
    db,
    read: async () => world.marker,
    write: async (_topic, payload) => void (world.marker = payload),
    log: () => {},
  });
  return { world, state };
}

it.each([
  ['without a marker', null, '41', 1, '41'],
  ['with an older one', '9', '10', 1, '10'],
  ['with something strange on it', '', '10', 1, '10'],
  ['with the newest one', '41', '41', 0, '41'],
  ['with a newer one: what was sent is long forgotten', '41', null, 0, '41'],
] as const)('a broker %s', async (_what, marker, mark, restored, after) => {
  const { world, state } = setUp(marker, mark);
  await state.check();
  expect([world.restored, world.marker]).toEqual([restored, after]);
});

it('asks once for a connection, however many messages wait for it', async () => {
  const { world, state } = setUp(null, '5');
  await Promise.all([state.check(), state.check(), state.check()]);
  world.marker = null;
  await state.check();
  expect(world.restored).toBe(1);
  state.forget();
  await state.check();
  expect(world.restored).toBe(2);
});

it('moves the marker with what was sent, but never before it was compared', async () => {
  const { world, state } = setUp('5', '5');
  world.away = true;
  await state.check();
  await state.note([row('7', true)]);
  expect(world.marker).toBe('5');
  world.away = false;
  state.forget();
  await state.check();
  await state.note([row('8', true), row('9', false)]);
  expect(world.marker).toBe('8');
  await state.note([row('10', false)]);
  expect(world.marker).toBe('8');
});
