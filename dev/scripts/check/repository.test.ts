import { describe, expect, test } from 'vitest';
import { checkLeaks } from './leaks.ts';
import { checkPins } from './pins.ts';
import { checkSizes } from './sizes.ts';
import { checkWords } from './words.ts';

const lines = (count: number) => 'x\n'.repeat(count);
const home = `/${'home'}/someone/code`;

describe('file sizes', () => {
  test('400 lines pass and 401 do not; tests have three times that', () => {
    expect(checkSizes([{ path: 'sdk/src/a.ts', text: lines(400) }])).toEqual([]);
    expect(checkSizes([{ path: 'sdk/src/a.ts', text: lines(401) }])).toHaveLength(1);
    expect(checkSizes([{ path: 'sdk/src/a.test.ts', text: lines(1200) }])).toEqual([]);
    expect(checkSizes([{ path: 'firmware/src/ec/generated/contract.h', text: lines(900) }])).toEqual([]);
  });
});

describe('leaks', () => {
  test('a path of one machine is refused, a URL path or a relative one is not', () => {
    expect(checkLeaks([{ path: 'a.ts', text: `const x = '${home}';` }], '/srv/checkouts/ec')).toHaveLength(1);
    expect(
      checkLeaks([{ path: 'a.ts', text: `open('/srv/checkouts/other')` }], '/srv/checkouts/ec'),
    ).toHaveLength(1);
    expect(
      checkLeaks([{ path: 'a.ts', text: `'./home/page' + "$DIR/root/x"` }], '/srv/checkouts/ec'),
    ).toEqual([]);
  });

  test('a lock that names a registry host is refused', () => {
    const lock = (resolved: string) => [{ path: 'package-lock.json', text: `"resolved": "${resolved}"` }];
    expect(checkLeaks(lock('https://npm.internal.test/a.tgz'), '/x')[0]?.message).toMatch(
      'npm.internal.test',
    );
    expect(checkLeaks(lock('mqtt-bridge'), '/x')).toEqual([]);
  });

  test('a live credential is refused', () => {
    expect(checkLeaks([{ path: 'a.ts', text: `'ec_live_${'a1'.repeat(20)}'` }], '/x')).toHaveLength(1);
  });
});

describe('versions', () => {
  test('ranges are refused and one library has one version', () => {
    const root = {
      path: 'package.json',
      text: '{"dependencies":{"zod":"4.6.7","pg":"^8.0.0","old":"npm:@x/pg@1.0.0-beta.1"}}',
    };
    const api = { path: 'supabase/functions/api/deno.json', text: '{"imports":{"zod":"npm:zod@4.6.6"}}' };
    expect(checkPins([root]).map((problem) => problem.message)).toEqual(['pg is "^8.0.0", not one version.']);
    expect(checkPins([root, api]).map((problem) => problem.message)).toContain(
      'zod is 4.6.6 here and 4.6.7 in package.json.',
    );
  });
});

describe('words', () => {
  const todo = ['TO', 'DO'].join('');
  test('a bare promise, a focused test and a vague name are refused', () => {
    expect(checkWords([{ path: 'a.ts', text: `// ${todo} later` }])).toHaveLength(1);
    expect(checkWords([{ path: 'a.ts', text: `// ${todo}(#12): waits for the firmware` }])).toEqual([]);
    expect(checkWords([{ path: 'a.test.ts', text: `it${'.only'}('x')` }])).toHaveLength(1);
    expect(checkWords([{ path: 'sdk/src/utils.ts', text: '' }])).toHaveLength(1);
  });
});
