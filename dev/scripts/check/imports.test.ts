import { describe, expect, test } from 'vitest';
import { checkImports } from './imports.ts';

const denoJson = {
  path: 'supabase/functions/api/deno.json',
  text: JSON.stringify({
    imports: { hono: 'npm:hono@4.13.19', '@edgeconductor/sdk/contract': '../../../x' },
  }),
};
const messages = (path: string, text: string) =>
  checkImports([denoJson, { path, text }]).map((problem) => `${problem.line}: ${problem.message}`);

describe('who may import whom', () => {
  test('the arrows of the architecture are free', () => {
    expect(messages('web/src/lib/api/sdk.ts', `import { EdgeConductor } from '@edgeconductor/sdk';`)).toEqual(
      [],
    );
    expect(messages('mqtt-bridge/src/broker.ts', `import mqtt from 'mqtt';`)).toEqual([]);
    expect(messages('mqtt-bridge/src/db.ts', `import pg from 'pg';`)).toEqual([]);
    expect(messages('sdk/src/contract/device.ts', `import { z } from 'zod';`)).toEqual([]);
    expect(messages('supabase/functions/api/app.ts', `import { Hono } from 'hono';`)).toEqual([]);
    expect(messages('dev/stack/main.ts', `import pg from 'pg';`)).toEqual([]);
  });

  test.each([
    ['the contract imports zod only', 'sdk/src/contract/device.ts', `import 'hono';`],
    ['the contract does not reach the client', 'sdk/src/contract/device.ts', `import '../client.ts';`],
    ['the SDK has no Node', 'sdk/src/client.ts', `import 'node:fs';`],
    ['the bridge does not use the SDK client', 'mqtt-bridge/src/main.ts', `import '@edgeconductor/sdk';`],
    ['mqtt has one door in the bridge', 'mqtt-bridge/src/outbox.ts', `import mqtt from 'mqtt';`],
    ['pg has one door in the bridge', 'mqtt-bridge/src/outbox.ts', `import pg from 'pg';`],
    ['supabase-js has one door in the web app', 'web/src/routes/x.ts', `import '@supabase/supabase-js';`],
    ['the web app has no database', 'web/src/lib/x.ts', `import pg from 'pg';`],
    ['a browser file has no Node', 'web/src/lib/x.ts', `import { readFile } from 'node:fs';`],
    ['a CLI command does not speak MQTT', 'cli/src/commands/device/list.ts', `import mqtt from 'mqtt';`],
    ['functions import from npm only', 'supabase/functions/api/app.ts', `import 'jsr:@std/assert';`],
    ['no function imports another', 'supabase/functions/api/app.ts', `import '../worker/mail.ts';`],
    ['imports need a key in deno.json', 'supabase/functions/api/app.ts', `import 'jose';`],
    [
      'routes do not open the database',
      'supabase/functions/api/routes/x.ts',
      `import '../../_shared/db.ts';`,
    ],
    ['services do not speak HTTP', 'supabase/functions/api/services/x.ts', `import { Hono } from 'hono';`],
    ['extensions are written', 'sdk/src/client.ts', `import './request';`],
    ['dynamic imports count', 'mqtt-bridge/src/outbox.ts', `await import('pg');`],
    ['Deno has one door', 'supabase/functions/api/app.ts', `Deno.env.get('X');`],
    ['routes hold no SQL', 'supabase/functions/api/routes/x.ts', 'await tx.query("select id from devices");'],
  ])('%s', (_sentence, path, text) => {
    expect(messages(path, text)).toHaveLength(1);
  });

  test('a type may be borrowed through a closed door', () => {
    expect(messages('mqtt-bridge/src/outbox.ts', `import type { Pool } from 'pg';`)).toEqual([]);
  });

  test('a Svelte file is read, and the line is the line of the file', () => {
    const page = `<p>hello</p>\n<script lang="ts">\n  import pg from 'pg';\n</script>\n`;
    expect(messages('web/src/routes/+page.svelte', page)).toEqual(['3: web may not import "pg".']);
  });

  test('a package must be named by the workspace that imports it', () => {
    const manifest = { path: 'mqtt-bridge/package.json', text: '{"dependencies":{"mqtt":"5.16.0"}}' };
    const check = (text: string) => checkImports([manifest, { path: 'mqtt-bridge/src/db.ts', text }]);
    expect(check(`import 'pg';`)[0]?.message).toBe('"pg" is not in mqtt-bridge/package.json.');
    expect(check(`import 'node:fs';`)).toEqual([]);
  });

  test('words in comments and strings are no imports', () => {
    expect(messages('sdk/src/client.ts', `// import 'pg'\nexport const x = "import 'pg'";`)).toEqual([]);
  });
});
