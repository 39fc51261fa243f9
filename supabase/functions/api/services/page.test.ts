import fc from 'fast-check';
import { expect, it } from 'vitest';
import { pageReply } from '../http/page-reply.ts';
import { cutPage, decodeCursor, encodeCursor } from './page.ts';

it('a cursor comes back as it went, whatever the sort key holds', () => {
  const text = fc.string().filter((value) => !value.includes('\0'));
  fc.assert(
    fc.property(
      fc.array(fc.oneof(text, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(null)), {
        minLength: 1,
      }),
      (values) => {
        const cursor = encodeCursor(values);
        expect(cursor).toMatch(/^[\w-]*$/);
        expect(decodeCursor(cursor, values.length)).toEqual(
          values.map((value) => (Object.is(value, -0) ? 0 : value)),
        );
      },
    ),
  );
});

it('anything else is an invalid request', () => {
  fc.assert(
    fc.property(fc.string(), (cursor) => {
      expect(() => decodeCursor(cursor, 7)).toThrow('not valid');
    }),
  );
  for (const bad of [encodeCursor(['a']), btoa('{"a":1}'), btoa('[[1],2]'), encodeCursor(['a\0', 1])]) {
    expect(() => decodeCursor(bad, 2)).toThrow('not valid');
  }
});

it('the extra row says that there is more and is cut off', () => {
  const id = (row: { id: number }) => [row.id];
  expect(cutPage([{ id: 1 }, { id: 2 }, { id: 3 }], 2, id)).toEqual({
    items: [{ id: 1 }, { id: 2 }],
    next: [2],
  });
  expect(cutPage([{ id: 1 }, { id: 2 }], 2, id).next).toBeNull();
  expect(cutPage([], 2, id)).toEqual({ items: [], next: null });
});

it('links keep the other parameters and replace the cursor', () => {
  const url = new URL('https://example.com/api/devices?q=a%20b&after=old&limit=2');
  const { headers } = pageReply({ items: [], next: [1], previous: [0], total: 9 }, url);
  expect(headers).toEqual({
    Link:
      `<https://example.com/api/devices?q=a+b&limit=2&after=${encodeCursor([1])}>; rel="next", ` +
      `<https://example.com/api/devices?q=a+b&limit=2&before=${encodeCursor([0])}>; rel="prev"`,
    'X-Total-Count': '9',
  });
});
