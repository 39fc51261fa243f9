import pg from 'pg';

/** Makes the user, or gives an existing one this password. Returns the user's id. Needs the superuser's URL. */
export type CreateUser = (email: string, password: string, fullName: string) => Promise<string>;

export function userCreator(adminUrl: string): CreateUser {
  return async (email, password, fullName) => {
    const client = new pg.Client({ connectionString: adminUrl });
    await client.connect();
    try {
      return await createUser(client, email.toLowerCase(), password, fullName);
    } finally {
      await client.end();
    }
  };
}

async function createUser(
  client: pg.Client,
  email: string,
  password: string,
  fullName: string,
): Promise<string> {
  const found = await client.query<{ id: string }>(
    `update auth.users set encrypted_password = extensions.crypt($2, extensions.gen_salt('bf', 8)) where email = $1 returning id`,
    [email, password],
  );
  if (found.rows[0]) return found.rows[0].id;
  const { rows } = await client.query<{ id: string }>(
    `with created as (
       insert into auth.users (id, aud, role, email, encrypted_password, email_confirmed_at,
         raw_app_meta_data, raw_user_meta_data, created_at, updated_at)
       values (gen_random_uuid(), 'authenticated', 'authenticated', $1, extensions.crypt($2, extensions.gen_salt('bf', 8)),
         now(), '{"provider":"email","providers":["email"]}',
         jsonb_build_object('full_name', $3::text, 'email_verified', true), now(), now())
       returning id, email
     ), identity as (
       insert into auth.identities (id, provider, provider_id, user_id, identity_data, created_at, updated_at)
       select gen_random_uuid(), 'email', id::text, id,
         jsonb_build_object('sub', id, 'email', email, 'email_verified', true, 'phone_verified', false), now(), now()
       from created
     )
     select id from created`,
    [email, password, fullName],
  );
  const id = rows[0]?.id;
  if (!id) throw new Error(`The user ${email} could not be made.`);
  return id;
}

/** The platform's administrator always exists; harmless when it does already. */
export async function ensureAdmin(
  adminUrl: string,
  admin: { email: string; password: string },
): Promise<void> {
  const id = await userCreator(adminUrl)(admin.email, admin.password, 'Platform admin');
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const known = await client.query(`select to_regclass('public.memberships') as name`);
    if (known.rows[0]?.name === null) return;
    await client.query(
      `insert into public.profiles (id, email, full_name) values ($1, $2, 'Platform admin') on conflict (id) do nothing`,
      [id, admin.email],
    );
    await client.query(
      `insert into public.memberships (user_id, role) select $1::uuid, 'admin'
       where not exists (select from public.memberships where user_id = $1::uuid and role = 'admin' and ended_at is null)`,
      [id],
    );
  } finally {
    await client.end();
  }
}
