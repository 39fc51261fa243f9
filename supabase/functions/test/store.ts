/** Storage as the stack has it, on a test's own database, with its files in a folder that goes with it. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileStorage } from '../../../dev/stack/file-storage.ts';
import { supabaseGateway } from '../../../dev/stack/gateway/supabase.ts';
import { createLite } from '../../../dev/stack/lite-app.ts';
import { listenOn } from '../../../dev/stack/listen.ts';
import type { Database } from '../../tests/harness/database.ts';

export interface TestStore {
  url: string;
  /** The service key. */
  key: string;
  stop(): Promise<void>;
}

export async function startStore(db: Database, jwtSecret: string): Promise<TestStore> {
  const folder = mkdtempSync(join(tmpdir(), 'ec-store-'));
  const key = `sb_secret_${randomBytes(16).toString('hex')}`;
  const secrets = {
    ...{ jwtSecret, secretKey: key, publishableKey: 'sb_publishable_test' },
    ...{ dbPassword: '', bridgePassword: '', workerSecret: '', webSecret: '' },
  };
  const lite = createLite({
    dbUrl: db.url('supabase_auth_admin'),
    secrets,
    siteUrl: 'http://web.test',
    storage: new FileStorage(folder),
  });
  await lite.app.init();
  const gateway = supabaseGateway({ lite: lite.app, functions: {}, realtime: () => undefined });
  const listening = await listenOn(gateway, 0);
  const { port } = listening.server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    key,
    async stop() {
      await listening.close();
      await lite.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
