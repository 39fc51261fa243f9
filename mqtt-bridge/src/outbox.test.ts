import { describe, expect, it } from 'vitest';
import type { Queryable } from './db.ts';
import { Outbox } from './outbox.ts';
import type { OutboxRow } from './sql/claim-mqtt-outbox.ts';
import { until } from '../test/support/until.ts';

const row = (id: number): OutboxRow => ({
  ...{ id: String(id), serial: 'A', topic: 'devices/A/cmd', payload: `{"id":${id}}` },
  ...{ qos: 1, retain: false, expires_in_ms: null },
});

/** The table behind the functions: unsent rows, claims and what was finished. */
class FakeTable implements Queryable {
  waiting: OutboxRow[] = [];
  readonly claimed = new Map<string, OutboxRow>();
  readonly finished: string[] = [];
  away = false;

  async query<R extends object>(_sql: string, values: unknown[] = [], name = ''): Promise<R[]> {
    if (this.away) throw new Error('ECONNREFUSED');
    if (name === 'claim_mqtt_outbox') {
      const rows = this.waiting.splice(0, values[1] as number);
      for (const one of rows) this.claimed.set(one.id, one);
      return rows as unknown as R[];
    }
    for (const id of values[0] as string[]) {
      if (name === 'finish_mqtt_outbox') this.finished.push(id);
      else this.waiting.push(this.claimed.get(id) as OutboxRow);
      this.claimed.delete(id);
    }
    return [];
  }
}

describe('Outbox', () => {
  const setUp = (
    publish: (row: OutboxRow, leftMs: number | null) => Promise<void>,
  ): { table: FakeTable; outbox: Outbox } => {
    const table = new FakeTable();
    const outbox = new Outbox({ db: table, worker: 'w', publish, onSent: () => {}, log: () => {} });
    return { table, outbox };
  };

  it('publishes in order and finishes at the PUBACK', async () => {
    const published: string[] = [];
    const { table, outbox } = setUp(async ({ id }) => void published.push(id));
    table.waiting = Array.from({ length: 1_200 }, (_, i) => row(i));
    outbox.wake();
    await until(() => table.finished.length === 1_200, 'all are finished');
    expect(published).toEqual(Array.from({ length: 1_200 }, (_, i) => String(i)));
  });

  it('gives back what the broker did not take and tries again', async () => {
    let broken = true;
    const { table, outbox } = setUp(async ({ id }) => {
      if (broken && id === '1') throw new Error('connection lost');
    });
    table.waiting = [row(0), row(1), row(2)];
    outbox.wake();
    await until(() => table.waiting.length === 1, 'one is given back');
    expect(table.finished).toEqual(['0', '2']);
    broken = false;
    await until(() => table.finished.length === 3, 'it is sent at last');
    await outbox.stop();
  });

  it('never sends what ran out since the claim', async () => {
    const published: [string, boolean][] = [];
    const { table, outbox } = setUp(async ({ id }, left) => void published.push([id, (left ?? 1) > 0]));
    table.waiting = [{ ...row(0), expires_in_ms: 0 }, { ...row(1), expires_in_ms: 60_000 }, row(2)];
    outbox.wake();
    await until(() => table.waiting.length === 1, 'it is given back');
    expect(published).toEqual([
      ['1', true],
      ['2', true],
    ]);
    expect([table.waiting[0]?.id, table.finished]).toEqual(['0', ['1', '2']]);
    await outbox.stop();
  });

  it('comes back by itself when the database was away', async () => {
    const { table, outbox } = setUp(async () => {});
    table.away = true;
    table.waiting = [row(0)];
    outbox.wake();
    await new Promise((resolve) => setTimeout(resolve, 20));
    table.away = false;
    await until(() => table.finished.length === 1, 'it is sent');
  });

  it('hears a hint that comes while it is at work', async () => {
    const puback: Array<() => void> = [];
    const { table, outbox } = setUp(() => new Promise((resolve) => puback.push(resolve)));
    table.waiting = [row(0)];
    outbox.wake();
    await until(() => puback.length === 1, 'the first is on its way');
    table.waiting.push(row(1));
    outbox.wake();
    puback[0]?.();
    await until(() => puback.length === 2, 'the second is on its way');
    puback[1]?.();
    await until(() => table.finished.length === 2, 'both are sent');
  });
});
