import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal, type Op } from './journal.ts';

describe('Journal', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ec-journal-'));
    path = join(folder, 'broker.journal');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const read = (): Op[] => {
    const ops: Op[] = [];
    new Journal(path, false, () => []).load((op) => ops.push(op));
    return ops;
  };

  it.each([true, false])('has on the disk what it says is kept (fsync: %s)', async (fsync) => {
    const journal = new Journal(path, fsync, () => []);
    journal.rewrite();
    for (let i = 0; i < 100; i++) journal.append(['up', `D-${i}`]);
    await journal.flushed();
    expect(read()).toHaveLength(100);
    journal.append(['down', 'D-1']);
    await journal.flushed();
    expect(read().at(-1)).toEqual(['down', 'D-1']);
    journal.close();
  });

  it('passes over a line torn by a crash', () => {
    new Journal(path, false, () => [['up', 'A'] as Op]).rewrite();
    appendFileSync(path, '["up","B"]\n["msg","ec.br');
    expect(read()).toEqual([
      ['up', 'A'],
      ['up', 'B'],
    ]);
  });

  it('is replaced by the present state at a start', () => {
    const journal = new Journal(path, false, () => [['up', 'A']]);
    journal.rewrite();
    journal.rewrite([['up', 'B']]);
    expect(readFileSync(path, 'utf8')).toBe('["up","B"]\n');
    journal.close();
  });

  it('starts anew from the state when it has grown', async () => {
    const journal = new Journal(path, false, () => [['up', 'A']]);
    journal.rewrite();
    const big = 'x'.repeat(1 << 20);
    for (let i = 0; i < 70; i++) journal.append(['msg', big]);
    await journal.flushed();
    journal.append(['up', 'B']);
    await journal.flushed();
    expect(read()).toEqual([
      ['up', 'A'],
      ['up', 'B'],
    ]);
    journal.close();
  });

  it('takes nothing more once it is closed', async () => {
    const journal = new Journal(path, false, () => []);
    journal.rewrite();
    journal.close();
    journal.append(['up', 'A']);
    await journal.flushed();
    expect(read()).toEqual([]);
  });
});
