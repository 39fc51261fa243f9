import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createArrivalClock, parsePacket, MAX_BATCH_BYTES } from './mod.ts';

const NOW = Date.UTC(2026, 10, 22, 12);
const clock = () =>
  createArrivalClock(
    () => NOW,
    () => 0,
  );
const parse = (input: unknown) =>
  parsePacket(
    typeof input === 'string' || input instanceof Uint8Array ? input : JSON.stringify(input),
    clock(),
  );
const reasons = (input: unknown) => parse(input).rejects.map((reject) => reject.reason);

describe('a good packet', () => {
  it('keeps the example of the product page as it is', () => {
    const packet = {
      temp: 24.3,
      hum: 58,
      co2: 847,
      relay: false,
      bat: 4.05,
      signal: -61,
      uptime: 3840,
      heap: 186432,
    };
    expect(parse(packet)).toEqual({
      readings: [{ d: packet, r: NOW * 1000, t: null, q: null }],
      positions: [0],
      rejects: [],
      usable: true,
    });
  });

  it('renames temperature and humidity, and the short name wins', () => {
    expect(parse({ temperature: 1, humidity: 2 }).readings[0]?.d).toEqual({ temp: 1, hum: 2 });
    expect(parse({ temperature: 1, temp: 3 }).readings[0]?.d).toEqual({ temp: 3 });
  });

  it('takes ts and seq out of the data', () => {
    const [reading] = parse({ temp: 1, ts: NOW - 1000, seq: 7 }).readings;
    expect(reading).toEqual({ d: { temp: 1 }, r: NOW * 1000, t: NOW - 1000, q: 7 });
  });

  it.each([
    ['2026-11-22T11:59:00Z', NOW - 60_000],
    ['2026-11-22T12:59:00.250+01:00', NOW - 60_000 + 250],
    ['2026-11-22 11:59:00', NOW - 60_000],
    [NOW - 60_000, NOW - 60_000],
  ])('reads the time %s', (ts, expected) => {
    expect(parse({ temp: 1, timestamp: ts }).readings[0]?.t).toBe(expected);
  });

  it('drops null values and stores nested ones', () => {
    expect(
      parse({ temp: null, gps: { fix: true, lat: 1.5, alt: null }, list: [1, null] }).readings[0]?.d,
    ).toEqual({
      gps: { fix: true, lat: 1.5 },
      list: [1, null],
    });
  });

  it('gives the packets of a batch strictly increasing arrival times', () => {
    const { readings } = parse([{ a: 1 }, { a: 1 }, { a: 1 }]);
    expect(readings.map((reading) => reading.r - NOW * 1000)).toEqual([0, 1, 2]);
  });
});

describe('a bad packet', () => {
  it.each([
    ['{"temp":', 'not_json'],
    ['{"temp":NaN}', 'not_json'],
    ['hello', 'not_json'],
    ['{"temp":1} {"temp":2}', 'not_json'],
    [Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d), 'not_json'],
    ['5', 'not_an_object'],
    ['"text"', 'not_an_object'],
    ['null', 'not_an_object'],
    [{ text: 'x'.repeat(9000) }, 'too_large'],
    ['['.repeat(200_000), 'not_json'],
    ['{"a":'.repeat(9) + '1' + '}'.repeat(9), 'too_deep'],
    ['[' + '['.repeat(4000) + ']'.repeat(4000) + ']', 'too_deep'],
    ['{"__proto__":{"polluted":1}}', 'bad_key'],
    ['{"a":{"constructor":1}}', 'bad_key'],
    [{ '1st': 1 }, 'bad_key'],
    [{ 'a b': 1 }, 'bad_key'],
    [{ ['k'.repeat(65)]: 1 }, 'bad_key'],
    ['{"temp":1e999}', 'bad_value'],
    ['{"temp":1e200}', 'bad_value'],
    ['{"note":"\\u0000"}', 'bad_value'],
    ['{"note":"\\ud800"}', 'bad_value'],
    [{ note: 'é'.repeat(600) }, 'bad_value'],
    [{ temp: 1, seq: 1.5 }, 'bad_value'],
    [{ temp: 1, seq: 'x' }, 'bad_value'],
    [{ temp: 1, ts: 'yesterday' }, 'bad_ts'],
    [{ temp: 1, ts: true }, 'bad_ts'],
    [{ temp: 1, ts: NOW + 5 * 60_000 + 1 }, 'ts_out_of_range'],
    [{ temp: 1, ts: NOW - 7 * 86_400_000 - 1 }, 'ts_out_of_range'],
    [{ temp: 1, ts: 1_700_000_000 }, 'ts_out_of_range'],
    [{}, 'empty'],
    [{ ts: NOW, seq: 1 }, 'empty'],
    [{ temp: null }, 'empty'],
    ['', 'empty'],
    ['[]', 'empty'],
    ['x'.repeat(MAX_BATCH_BYTES + 1), 'too_large'],
  ])('%.60s is refused as %s', (input, reason) => {
    const result = parse(input);
    expect(result.readings).toEqual([]);
    expect(result.rejects.map((reject) => reject.reason)).toEqual([reason]);
  });

  it('is taken at the very edges', () => {
    expect(reasons({ temp: 1, ts: NOW + 5 * 60_000 })).toEqual([]);
    expect(reasons({ temp: 1, ts: NOW - 7 * 86_400_000 })).toEqual([]);
    expect(reasons('{"a":'.repeat(8) + '1' + '}'.repeat(8))).toEqual([]);
    expect(
      reasons(['{"a":'.repeat(8) + '1' + '}'.repeat(8)].map((text) => JSON.parse(text) as object)),
    ).toEqual([]);
    expect(reasons({ note: 'x'.repeat(1024) })).toEqual([]);
    expect(reasons(Array.from({ length: 1000 }, () => ({ a: 1 })))).toEqual([]);
    expect(reasons(Array.from({ length: 1001 }, () => ({ a: 1 })))).toEqual(['too_large']);
  });

  it('says whether anything could be made of it', () => {
    expect(parse('{"temp":').usable).toBe(false);
    expect(parse('5').usable).toBe(false);
    expect(parse({ '1st': 1 }).usable).toBe(true);
    expect(parse([5]).usable).toBe(true);
  });

  it('is kept readable, storable and short', () => {
    expect(parse(Uint8Array.of(0x7b, 0x00, 0xff, 0x41)).rejects[0]).toMatchObject({
      payload: '{\\x00\\xffA',
      bytes: 4,
    });
    expect(parse('{"a":"\u0000"}').rejects[0]?.payload).toBe('{"a":"\\u0000"}');
    const [reject] = parse({ a: '€'.repeat(50_000) }).rejects;
    expect(new TextEncoder().encode(reject?.payload).length).toBeLessThanOrEqual(8192);
    expect(reject?.bytes).toBe(150_008);
  });
});

describe('a batch', () => {
  it('loses only its bad packets, even when one of them is not JSON', () => {
    const text =
      '[{"temp":1},{"temp":NaN},{"temp":2},5,{"__proto__":1},' +
      `{"a":${'['.repeat(5000)}${']'.repeat(5000)}},{"s":"],}{\\"["},{"a":[1,2],"b":{"c":3}},]`;
    const result = parse(text);
    expect(result.readings.map((reading) => reading.d)).toEqual([
      { temp: 1 },
      { temp: 2 },
      { s: '],}{"[' },
      { a: [1, 2], b: { c: 3 } },
    ]);
    expect(result.positions).toEqual([0, 2, 6, 7]);
    expect(result.rejects.map((reject) => [reject.index, reject.reason])).toEqual([
      [1, 'not_json'],
      [3, 'not_an_object'],
      [4, 'bad_key'],
      [5, 'too_large'],
      [8, 'not_json'],
    ]);
  });

  it('that is cut off is refused whole, because its sender will send it again', () => {
    expect(parse('[{"temp":1},{"te')).toMatchObject({ readings: [], usable: false });
  });

  const anyPacket = fc.oneof(
    fc.json(),
    fc.uint16Array().map((units) => String.fromCharCode(...units)),
    fc.jsonValue().map((value) => JSON.stringify({ temp: value, __proto__: null })),
    fc.constantFrom(
      '{"__proto__":{"x":1}}',
      '{"a":1e999}',
      '{"a":"\\ud800"}',
      '{"constructor":{"prototype":{"x":1}}}',
    ),
  );

  it('never throws, never pollutes, whatever it is made of', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyPacket,
          fc.uint8Array({ max: 255 }),
          fc.array(anyPacket).map((all) => `[${all.join()}]`),
        ),
        (input) => {
          const result = parse(input);
          expect(({} as Record<string, unknown>)['x']).toBeUndefined();
          expect(result.readings.length + result.rejects.length).toBeGreaterThan(0);
          for (const reading of result.readings) {
            expect(Object.getPrototypeOf(reading.d)).toBe(Object.prototype);
            expect(JSON.stringify(reading.d)).not.toMatch(/\\u0000|\\ud[89a-f]..(?!\\ud)/);
          }
          for (const reject of result.rejects) expect(reject.payload).not.toMatch(/[\0\p{Cs}]/u);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('gives every good packet, whatever its neighbours with closed brackets are', () => {
    const bad = fc.constantFrom(
      '{"a":1e999}',
      '{"__proto__":1}',
      '{"t":NaN}',
      '[[[]]]',
      '1',
      '{"a":"\\u0000"}',
      '{}',
      '',
    );
    const good = fc.dictionary(
      fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,9}x$/),
      fc.oneof(fc.integer(), fc.string()),
      { minKeys: 1 },
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(bad, good), { minLength: 1, maxLength: 20 }), (all) => {
        const text = `[${all.map((entry) => (typeof entry === 'string' ? entry : JSON.stringify(entry))).join()}]`;
        const expected = all
          .filter((entry) => typeof entry !== 'string')
          .map((entry) => JSON.parse(JSON.stringify(entry)) as unknown);
        const storable = expected.filter((entry) => !/\\u0000/.test(JSON.stringify(entry)));
        expect(parse(text).readings.map((reading) => reading.d)).toEqual(storable);
      }),
    );
  });
});

describe('the arrival clock', () => {
  it('never gives a microsecond twice, even when the system clock steps back', () => {
    let now = 1000;
    const next = createArrivalClock(() => now);
    const seen = [next(), next()];
    now = 900;
    seen.push(next(), next());
    expect(new Set(seen).size).toBe(4);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });
});
