import { z } from 'zod';

/** Free text of a search box. */
export const Search = z.string().trim().min(1).max(100).describe('Part of a name or address');
