import { userCreator } from '../../stack/admin-user.ts';
import type { Product } from './product.ts';

export const ADMINISTRATOR = { email: 'bench@example.com', password: 'bench-2026-bench' };

/** Somebody with the role org_admin in an org, that of the bench's devices unless told. Returns the user's id. */
export async function ensureAdministrator(product: Product, slug = 'bench'): Promise<string> {
  const create = userCreator(product.facts.db_url!.replace('//postgres:', '//supabase_admin:'));
  const id = await create(ADMINISTRATOR.email, ADMINISTRATOR.password, 'Bench administrator');
  await product.query(
    `insert into public.profiles (id, email, full_name) values ($1, $2, 'Bench administrator') on conflict (id) do nothing`,
    [id, ADMINISTRATOR.email],
  );
  await product.query(
    `insert into public.memberships (user_id, role, org_id)
     select $1::uuid, 'org_admin', o.id from public.orgs o
     where o.slug = $2 and not exists (select from public.memberships m where m.user_id = $1::uuid and m.org_id = o.id)`,
    [id, slug],
  );
  return id;
}
