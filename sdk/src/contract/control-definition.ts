/** Controls are data of a product type: how a key of desired is shown and set. Keys without one can be set as well. */
import { z } from 'zod';
import { KEY_PATTERN } from './packet-limits.ts';

export const CONTROL_KINDS = ['boolean', 'number', 'enum', 'text'] as const;
export const ControlKind = z.enum(CONTROL_KINDS);
export type ControlKind = z.infer<typeof ControlKind>;

export const ControlOption = z.object({ value: z.union([z.string(), z.number()]), label: z.string() });
export type ControlOption = z.infer<typeof ControlOption>;

export const ControlDefinition = z
  .object({
    key: z.string().regex(KEY_PATTERN),
    label: z.string(),
    hint: z.string().describe('One plain sentence: what it does. May be empty'),
    kind: ControlKind,
    unit: z.string().describe('May be empty'),
    min_value: z.number().nullable(),
    max_value: z.number().nullable(),
    step: z.number().nullable(),
    decimals: z.int().min(0).max(9),
    options: z.array(ControlOption).describe('Choices of an enum, in order; empty for other kinds'),
    on_label: z.string().nullable().describe('null: On'),
    off_label: z.string().nullable().describe('null: Off'),
    confirm: z.boolean().describe('A screen asks once more before it sends a change'),
    sort: z.int(),
  })
  .meta({ id: 'ControlDefinition' });
export type ControlDefinition = z.infer<typeof ControlDefinition>;
