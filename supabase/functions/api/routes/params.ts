import { Id, Serial } from '@edgeconductor/sdk/contract';
import { z } from 'zod';

export const SerialParams = z.object({ serial: Serial });
export const IdParams = z.object({ id: Id });
