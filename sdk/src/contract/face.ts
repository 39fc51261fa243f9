import { z } from 'zod';
import { Slug } from './ids.ts';

/** What an organisation or partner shows of itself before anybody signed in. */
export const Face = z
  .object({ name: z.string(), slug: Slug, brand: z.record(z.string(), z.unknown()) })
  .meta({ id: 'Face' });
export type Face = z.infer<typeof Face>;
