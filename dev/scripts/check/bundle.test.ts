import { describe, expect, test } from 'vitest';
import { checkBundle, serverVariables } from './bundle.ts';

const sources = [
  { path: 'supabase/functions/_shared/env.ts', text: `need('EC_DB_URL'); maybe('EC_WEB_SECRET')` },
  { path: 'web/src/env.ts', text: 'SUPABASE_URL: {}, PUBLIC_SUPABASE_URL: { public: true }' },
  { path: 'cli/src/main.ts', text: 'process.env.EC_TOKEN' },
  { path: 'supabase/functions/api/env.test.ts', text: 'EC_ONLY_IN_A_TEST' },
];
const check = (text: string) =>
  checkBundle([{ path: 'client/a.js', text }], sources, 'planted-secret').map(({ message }) => message);

describe('what a browser downloads', () => {
  test('server variables are those that server code reads', () => {
    expect([...serverVariables(sources)].sort()).toEqual(['EC_DB_URL', 'EC_WEB_SECRET', 'SUPABASE_URL']);
  });

  test.each([
    ['the name of a server variable', 'e.EC_WEB_SECRET??""'],
    ['a database address with its password', `"postgresql://ec_api:${'x'.repeat(9)}@db:5432/postgres"`],
    ['a key of the project', `"sb_secret_${'a1'.repeat(8)}"`],
    ['a live API key', `"ec_live_${'a1'.repeat(16)}"`],
    ['the secret of a webhook', `"whsec_${'a1'.repeat(16)}"`],
    ['a private key', `-----BEGIN ${'PRIVATE'} KEY-----`],
    ['a token', `"eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.${'a'.repeat(43)}"`],
    ['the role past row level security', `role:"service_role"`],
    ['a value the build was given for a secret', `x="planted-secret"`],
  ])('%s is refused', (_what, text) => {
    expect(check(text)).toHaveLength(1);
  });

  test.each([
    ['a public setting', '"PUBLIC_SUPABASE_URL"'],
    ['the beginning of a key, as pages show it', '`ec_live_…`'],
    ['a variable of the command line in an example', 'EC_TOKEN=…'],
    ['the publishable key', '"sb_publishable_abcdefgh1234"'],
  ])('%s passes', (_what, text) => {
    expect(check(text)).toEqual([]);
  });
});
