import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseCommandAck } from './mod.ts';

it('an acknowledgement has the id and what came of it', () => {
  expect(parseCommandAck('{"id":"a-1","ok":true}')).toEqual({
    ok: true,
    id: 'a-1',
    success: true,
    result: null,
  });
  expect(parseCommandAck('{"id":"a-1","ok":false,"result":{"reason":"door open"}}')).toMatchObject({
    success: false,
    result: { reason: 'door open' },
  });
  expect(parseCommandAck('{"id":"a-1","ok":true,"result":[1,null]}')).toMatchObject({ result: [1, null] });
});

it.each([
  '{"ok":true}',
  '{"id":5,"ok":true}',
  '{"id":"a","ok":"yes"}',
  `{"id":"${'a'.repeat(65)}","ok":true}`,
])('%.40s is refused', (input) =>
  expect(parseCommandAck(input)).toMatchObject({ ok: false, reason: 'bad_value' }),
);

it('nothing throws', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string(), fc.uint8Array()), (input) => {
      expect(parseCommandAck(input)).toHaveProperty('ok');
    }),
  );
});
