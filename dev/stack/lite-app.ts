import { App, setExperimental, type EmailDriver } from '@supabase/lite';
import { createPostgresConnection } from '@supabase/lite/postgres';
import { mailTemplates } from './mail-templates.ts';
import type { Secrets } from './secrets.ts';

export interface LiteOptions {
  /** Postgres URL: the superuser for making the system schemas, `supabase_auth_admin` for serving. */
  dbUrl: string;
  secrets: Secrets;
  /** Where links in auth mails lead. */
  siteUrl: string;
  email?: EmailDriver;
  storage?: App['_storageAdapter'];
}

export type Lite = App;

/** Supabase Auth, Data API and Storage in this process, by `@supabase/lite` on our Postgres. */
export function createLite(options: LiteOptions): { app: Lite; close: () => Promise<void> } {
  setExperimental('storage', true);
  const connection = createPostgresConnection({
    url: options.dbUrl,
    postgresOptions: { max: 12, onnotice: () => {} },
  });
  // On its first request lite would grant ALL on every table to anon and authenticated; our migrations grant by
  // name. Saying that row-level security is active already skips it.
  (connection as unknown as { rlsState: string }).rlsState = 'active';
  const app = new App({
    connection,
    api: { schemas: ['public'], extra_search_path: ['public', 'extensions'], max_rows: 1000 },
    auth: {
      enabled: true,
      jwt_secret: options.secrets.jwtSecret,
      publishable_key: options.secrets.publishableKey,
      secret_key: options.secrets.secretKey,
      site_url: options.siteUrl,
      additional_redirect_urls: [`${options.siteUrl}/**`],
      jwt_expiry: 3600,
      enable_signup: true,
      minimum_password_length: 8,
      email: {
        enable_signup: true,
        enable_confirmations: true,
        otp_length: 6,
        otp_expiry: 600,
        template: mailTemplates(),
      },
    },
    // The Supabase CLI keeps the history of migrations.
    db: { migrations: { enabled: false } },
    storage: { enabled: true, file_size_limit: '50MiB' },
    options: {
      server: { disableStudio: true, admin: false },
      ...(options.email ? { drivers: { email: options.email } } : {}),
    },
  } as unknown as ConstructorParameters<typeof App>[0]);
  if (options.storage) app._storageAdapter = options.storage;
  return { app: app as Lite, close: () => connection.close() };
}
