import { z } from 'zod';
import { Id, Timestamp } from './ids.ts';
import { Membership } from './member.ts';
import { PageQuery } from './page.ts';
import { Search } from './search.ts';

/** GET /users: everybody who ever signed in, for administrators. */
export const UserAccount = z
  .object({
    id: Id,
    email: z.string().nullable(),
    full_name: z.string().nullable(),
    created_at: Timestamp,
    memberships: z.array(Membership).describe('The live ones'),
  })
  .meta({ id: 'UserAccount' });
export type UserAccount = z.infer<typeof UserAccount>;

export const UserQuery = PageQuery.extend({ q: Search.optional() });
export type UserQuery = z.infer<typeof UserQuery>;
