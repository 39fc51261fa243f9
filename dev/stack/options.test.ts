import { expect, test } from 'vitest';
import { parseOptions } from './options.ts';
import { portsFrom } from './ports.ts';
import { withNeeds } from './stack.ts';

test('without options everything starts, demo included', () => {
  expect(parseOptions([])).toMatchObject({
    json: false,
    portBase: undefined,
    broker: 'embedded',
    brokerDurable: false,
  });
  expect(parseOptions([]).parts).toContain('demo');
  expect(parseOptions(['--no-demo']).parts).not.toContain('demo');
});

test.each([
  [['--port-base', 'abc'], '--port-base abc is not a port'],
  [['--port-base', '80'], '--port-base 80 is not a port'],
  [['--only', 'db,nonsense'], 'no part "nonsense"'],
  [['--broker', 'kafka'], '--broker kafka is unknown'],
  [['--nonsense'], "Unknown option '--nonsense'"],
])('%j is refused with a sentence', (args, sentence) => expect(() => parseOptions(args)).toThrow(sentence));

test('a part brings what it needs', () => {
  expect(withNeeds(['api'])).toEqual(['db', 'mail', 'auth', 'api']);
  expect(withNeeds(['bridge'])).toEqual(['db', 'broker', 'bridge']);
});

test('all ports of a stack lie in the hundred after its base', () => {
  for (const port of Object.values(portsFrom(20_000)))
    expect(port).toSatisfy((n: number) => n >= 20_000 && n < 20_100);
});
