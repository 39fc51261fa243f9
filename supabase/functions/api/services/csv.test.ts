import { expect, it } from 'vitest';
import { toCell, toCsv, withoutGuard } from './csv.ts';

it('has a column for every key, and an empty cell where a row has none', () => {
  const rows = [
    { timestamp: '2026-11-22T12:00:00.000Z', temp: -3.5, relay: false },
    { timestamp: '2026-11-22T12:00:05.000Z', temp: 4, gps: { lat: 1 } },
  ];
  expect(toCsv(rows, undefined)).toBe(
    'timestamp,gps,relay,temp\r\n' +
      '2026-11-22T12:00:00.000Z,,false,-3.5\r\n' +
      '2026-11-22T12:00:05.000Z,"{""lat"":1}",,4\r\n',
  );
  expect(toCsv(rows, ['temp', 'hum']).split('\r\n')[1]).toBe('2026-11-22T12:00:00.000Z,-3.5,');
});

it.each(['=HYPERLINK("http://x")', '+1', '-1+2', '@SUM(A1)', '\tx', '\rx'])('defuses %j', (text) => {
  expect(toCell(text).replace(/^"/, '')).toMatch(/^'/);
});

it('quotes what would break out of a cell', () => {
  expect(toCell('a,b')).toBe('"a,b"');
  expect(toCell('say "hi"\nthere')).toBe('"say ""hi""\nthere"');
});

it.each(['=1+1', '-5 °C', '@home', "it's", "'quoted'", ''])(
  'what was exported comes back in as it was: %j',
  (text) => {
    expect(withoutGuard(toCell(text))).toBe(text);
  },
);
