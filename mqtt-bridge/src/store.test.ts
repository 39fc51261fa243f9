import { describe, expect, it } from 'vitest';
import type { Queryable } from './db.ts';
import { BatchStore } from './store.ts';
import { emptyWork, type Work } from './work.ts';

const sqlError = (code: string): Error => Object.assign(new Error(`SQLSTATE ${code}`), { code });

/** Remembers what it stored, function by function, and refuses what it is told to. */
class FakeDatabase implements Queryable {
  readonly stored: Record<string, unknown[]> = {};
  calls = 0;
  refuse: (name: string, text: string) => Error | undefined = () => undefined;

  async query<R extends object>(_sql: string, values: unknown[] = [], name = ''): Promise<R[]> {
    this.calls++;
    const text = values[0] as string;
    const error = this.refuse(name, text);
    if (error) throw error;
    const items = JSON.parse(text) as unknown[];
    (this.stored[name] ??= []).push(...items);
    return [{ result: { accepted: items.length, duplicate: 0, rejected: 0 } } as unknown as R];
  }

  serials(name: string): string[] {
    return (this.stored[name] ?? []).map((item) => (item as { s: string }).s);
  }
}

const packet = (s: string, value = 1): string =>
  `"s":"${s}","d":{"temp":${value}},"r":1700000000000000,"t":null,"q":null}`;
const telemetry = (s: string, value = 1): Work => ({ ...emptyWork(s, 10), telemetry: [packet(s, value)] });

function setUp(works: Work[]): { db: FakeDatabase; batch: BatchStore } {
  const db = new FakeDatabase();
  return { db, batch: new BatchStore({ db, log: () => {}, onResult: () => {} }, works) };
}

describe('BatchStore', () => {
  it('numbers the packets of a batch in their order', async () => {
    const { db, batch } = setUp([telemetry('A'), telemetry('B'), telemetry('A')]);
    await batch.attempt();
    expect(db.stored['ingest_telemetry']).toMatchObject([
      { i: 0, s: 'A' },
      { i: 1, s: 'B' },
      { i: 2, s: 'A' },
    ]);
    expect(db.calls).toBe(1);
  });

  it('lets one bad packet cost only itself', async () => {
    const { db, batch } = setUp(Array.from({ length: 100 }, (_, i) => telemetry(`D-${i}`)));
    db.refuse = (name, text) =>
      name === 'ingest_telemetry' && text.includes('"D-37"') ? sqlError('22P05') : undefined;
    await batch.attempt();
    expect(db.serials('ingest_telemetry')).toHaveLength(99);
    expect(db.stored['record_dead_letters']).toMatchObject([
      { s: 'D-37', reason: 'bad_value', door: 'mqtt' },
    ]);
  });

  it('fails as a whole while the database is away, and stores nothing twice afterwards', async () => {
    const status: Work = { ...emptyWork('A', 1), status: ['{"s":"A","online":true,"r":1}'] };
    const { db, batch } = setUp([telemetry('A'), status]);
    db.refuse = (name) => (name === 'record_status' ? sqlError('57P01') : undefined);
    await expect(batch.attempt()).rejects.toThrow('57P01');
    db.refuse = () => undefined;
    await batch.attempt();
    expect(db.serials('ingest_telemetry')).toEqual(['A']);
    expect(db.serials('record_status')).toEqual(['A']);
  });

  it('keeps everything when a function fails for every packet alike', async () => {
    const { db, batch } = setUp([telemetry('A'), telemetry('B')]);
    db.refuse = () => sqlError('42883');
    for (let i = 0; i < 10; i++) await expect(batch.attempt()).rejects.toThrow('42883');
    db.refuse = () => undefined;
    await batch.attempt();
    expect(db.serials('ingest_telemetry')).toEqual(['A', 'B']);
    expect(db.stored['record_dead_letters']).toBeUndefined();
  });

  it('finds a packet that trips a bug in the database after a few tries, and goes on', async () => {
    const { db, batch } = setUp(Array.from({ length: 8 }, (_, i) => telemetry(`D-${i}`)));
    db.refuse = (name, text) =>
      name === 'ingest_telemetry' && text.includes('"D-3"') ? sqlError('XX000') : undefined;
    for (let i = 0; i < 4; i++) await expect(batch.attempt()).rejects.toThrow('XX000');
    await batch.attempt();
    expect(db.serials('ingest_telemetry')).toHaveLength(7);
    expect(db.serials('record_dead_letters')).toEqual(['D-3']);
  });

  it('never condemns a packet because of an outage, however long', async () => {
    const { db, batch } = setUp([telemetry('A'), telemetry('B')]);
    for (const code of ['57014', '40P01', '53300', undefined]) {
      db.refuse = () => (code === undefined ? new Error('ECONNREFUSED') : sqlError(code));
      for (let i = 0; i < 10; i++) await expect(batch.attempt()).rejects.toThrow();
    }
    expect(db.stored).toEqual({});
  });
});
