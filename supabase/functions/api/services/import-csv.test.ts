import { expect, it } from 'vitest';
import { parseDeviceCsv } from './import-csv.ts';

it('reads the columns it knows, in any order, and names those it does not', () => {
  const csv =
    'Name,serial,Product type,tags,attributes.order,attributes.paid,colour,location\r\n' +
    '"Lab, left",EC-1,EC-CLIMATE-V1,lab; first floor,4711,true,red,Main / Lab\r\n';
  expect(parseDeviceCsv(csv)).toEqual({
    rows: [
      {
        line: 2,
        serial: 'EC-1',
        product_type: 'EC-CLIMATE-V1',
        name: 'Lab, left',
        tags: ['lab', 'first floor'],
        attributes: { order: 4711, paid: true },
        location: 'Main / Lab',
      },
    ],
    bad: [],
    ignored_columns: ['colour'],
  });
});

it.each([
  ['comma', 'serial,name\nEC-1,A;B\n', 'A;B'],
  ['semicolon', 'serial;name\nEC-1;A,B\n', 'A,B'],
  ['tab', 'serial\tname\nEC-1\tA,B;C\n', 'A,B;C'],
  ['byte order mark', '\ufeffserial,name\nEC-1,A\n', 'A'],
])('takes what spreadsheets write: %s', (_, csv, name) => {
  expect(parseDeviceCsv(csv).rows).toEqual([{ line: 2, serial: 'EC-1', name }]);
});

it('an empty cell changes nothing, an empty line counts as a line', () => {
  expect(parseDeviceCsv('serial,name,tags,location\n\nEC-1,,,\n,,,\nEC-2,B\n')).toMatchObject({
    rows: [
      { line: 3, serial: 'EC-1' },
      { line: 5, serial: 'EC-2', name: 'B' },
    ],
    bad: [],
  });
});

it('takes the guard off that an export put before a formula', () => {
  expect(parseDeviceCsv("serial,name\nEC-1,'=SUM(A1)\nEC-2,'quoted'\n").rows.map((row) => row.name)).toEqual([
    '=SUM(A1)',
    "'quoted'",
  ]);
});

it('reports bad lines one by one and keeps the good ones', () => {
  const long = 'x'.repeat(201);
  const { rows, bad } = parseDeviceCsv(
    `serial,name,tags,attributes.bad key\nEC-1,ok,,\n,nameless,,\na b,,,\nEC-1,again,,\nEC-2,${long},,\nEC-3,,"<b>",\nEC-4,,,1\nEC-5,,,,,more\n`,
  );
  expect(rows.map((row) => row.serial)).toEqual(['EC-1']);
  expect(bad.map(({ line, serial, errors }) => [line, serial, errors.map((error) => error.column)])).toEqual([
    [3, null, ['serial']],
    [4, 'a b', ['serial']],
    [5, 'EC-1', ['serial']],
    [6, 'EC-2', ['name']],
    [7, 'EC-3', ['tags']],
    [8, 'EC-4', ['attributes']],
    [9, 'EC-5', [null]],
  ]);
  expect(bad[2]?.errors[0]?.detail).toBe('is on line 2 already');
});

it.each([
  ['no serial', 'name\nA\n', 'names the columns'],
  ['a column twice', 'serial,name,Name\nEC-1,A,B\n', 'twice'],
  ['an open quote', 'serial,name\nEC-1,"A\n', 'no CSV'],
  ['too many', `serial\n${Array.from({ length: 501 }, (_, n) => `EC-${n}`).join('\n')}`, 'at most 500'],
  ['too big', `serial,name\nEC-1,${'x'.repeat(1024 * 1024)}`, 'at most 1 MB'],
])('refuses as a whole: %s', (_, csv, message) => {
  expect(() => parseDeviceCsv(csv)).toThrow(message);
});
