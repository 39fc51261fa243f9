import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

const ignored = ['**/node_modules/**', '**/build/**', '**/.svelte-kit/**'];
const services = ['**/*.integration.test.ts', '**/*.e2e.test.ts'];

/**
 * A test's name and folder decide its project, and the project what it may need:
 * unit nothing · db Postgres 17, db15 Postgres 15 · api Postgres and Deno · bridge Postgres and a broker · stack and e2e everything.
 * dev/scripts/test.ts runs them one after another; `npx vitest run --project db` runs one.
 */
export default defineConfig({
  test: {
    allowOnly: false,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{sdk,cli,mqtt-bridge,dev,supabase/functions}/**/*.test.ts'],
          exclude: [...ignored, ...services],
        },
      },
      {
        // Only the compiler: SvelteKit's own plugin would demand the addresses of a running stack.
        plugins: [svelte({ configFile: false })],
        root: './web',
        test: { name: 'web', include: ['src/**/*.test.ts'], exclude: [...ignored, ...services] },
      },
      {
        extends: true,
        test: {
          name: 'db',
          globalSetup: './dev/stack/testing-global.ts',
          include: ['supabase/tests/**/*.test.ts'],
          exclude: [...ignored, ...services],
          testTimeout: 30_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'db15',
          globalSetup: './supabase/tests/harness/pg15-global.ts',
          include: ['supabase/tests/**/*.test.ts'],
          exclude: [...ignored, ...services],
          testTimeout: 30_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'api',
          globalSetup: './dev/stack/testing-global.ts',
          include: ['{supabase,sdk}/**/*.integration.test.ts'],
          exclude: ignored,
          testTimeout: 30_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'bridge',
          globalSetup: './dev/stack/testing-global.ts',
          include: ['{mqtt-bridge,dev/stack/broker}/**/*.integration.test.ts'],
          exclude: ignored,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'stack',
          globalSetup: './dev/stack/testing-global.ts',
          include: ['{dev/stack,dev/bench,dev/scripts,cli}/**/*.integration.test.ts'],
          exclude: [...ignored, 'dev/stack/broker/**'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          maxWorkers: 1,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          globalSetup: './dev/e2e/support/global-setup.ts',
          include: ['dev/e2e/**/*.e2e.test.ts'],
          exclude: ignored,
          testTimeout: 60_000,
          hookTimeout: 180_000,
          maxWorkers: 1,
          // A browser beside eight servers on two cores: one slow click is no broken behaviour, two are.
          retry: 1,
        },
      },
    ],
  },
});
