import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseShadowDocument, parseStatus } from './mod.ts';

it('a reported document keeps null, which removes a key', () => {
  expect(parseShadowDocument('{"relay":true,"led":null,"pid":{"kp":1,"ki":null}}')).toEqual({
    ok: true,
    data: { relay: true, led: null, pid: { kp: 1, ki: null } },
  });
});

it.each([
  ['{"days":[1,null]}', 'bad_value'],
  ['{"days":[{"from":null}]}', 'bad_value'],
  ['[{"relay":true}]', 'not_an_object'],
  ['{"__proto__":{"x":1}}', 'bad_key'],
  ['{"a":'.repeat(300) + '1' + '}'.repeat(300), 'too_deep'],
  [`{"a":"${'x'.repeat(9000)}"}`, 'too_large'],
  ['', 'empty'],
  ['{"relay"', 'not_json'],
])('%.40s is refused as %s', (input, reason) => {
  expect(parseShadowDocument(input)).toMatchObject({ ok: false, reason });
});

it('a status is online, offline or nothing', () => {
  expect(parseStatus('{"online":true}')).toBe(true);
  expect(parseStatus(new TextEncoder().encode('{"online":false,"rssi":-60}'))).toBe(false);
  for (const bad of ['{"online":"yes"}', '{}', 'online', '', '[true]']) expect(parseStatus(bad)).toBe(null);
});

it('nothing throws', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.uint16Array().map((units) => String.fromCharCode(...units)),
        fc.uint8Array(),
      ),
      (input) => {
        parseStatus(input);
        expect(parseShadowDocument(input)).toHaveProperty('ok');
      },
    ),
  );
});
