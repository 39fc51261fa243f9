import { z } from 'zod';
import { ControlDefinition } from './control-definition.ts';
import { Id, ProductTypeKey } from './ids.ts';
import { MetricDefinition } from './metrics.ts';

export const ProductType = z
  .object({
    key: ProductTypeKey,
    name: z.string(),
    maker_org_id: Id.nullable().describe('null: everybody may register devices of this type'),
    online_window_s: z.int(),
    telemetry_interval_s: z.int(),
    controllable_keys: z.array(z.string()).describe('Keys a customer may set in desired'),
    metrics: z.array(MetricDefinition),
    controls: z.array(ControlDefinition),
  })
  .meta({ id: 'ProductType' });
export type ProductType = z.infer<typeof ProductType>;
