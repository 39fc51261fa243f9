import type { ImportRow } from '@edgeconductor/sdk';
import { describe, expect, it } from 'vitest';
import { describeChanges, errorsAsCsv } from './import-words.ts';

describe('what a line of an import changes', () => {
  it('reads as texts, nothing among nothing left out', () => {
    const changes = {
      name: { from: null, to: 'Lab' },
      tags: { from: ['a'], to: ['a', 'b'] },
      location: { from: 'Hall / Lab', to: null },
      product_type: { from: null, to: '' },
    };
    expect(describeChanges({ changes })).toEqual([
      { key: 'name', from: null, to: 'Lab' },
      { key: 'tags', from: 'a', to: 'a, b' },
      { key: 'location', from: 'Hall / Lab', to: null },
    ]);
  });
});

describe('the file of refused lines', () => {
  const row = (line: number, serial: string | null, detail: string): ImportRow => ({
    line,
    serial,
    action: 'error',
    errors: [{ column: 'serial', code: 'invalid_request', detail }],
  });

  it('has a line for each error and nothing of the good ones', () => {
    const good: ImportRow = { line: 2, serial: 'EC-1', action: 'create', errors: [] };
    expect(errorsAsCsv([good, row(3, 'EC 2', 'no spaces')])).toBe(
      'line,serial,column,error\r\n3,EC 2,serial,no spaces\r\n',
    );
  });

  it('runs nothing in a spreadsheet and survives commas and quotes', () => {
    expect(errorsAsCsv([row(3, '=HYPERLINK("x")', 'a, b')])).toContain(
      '3,"\'=HYPERLINK(""x"")",serial,"a, b"',
    );
  });
});
