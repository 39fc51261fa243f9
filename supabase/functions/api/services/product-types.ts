import type { ProductType } from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';

/** Types open to everybody, of the actor's orgs, or of devices it sees, with their metrics and controls in order. */
export function listProductTypes(db: Db): Promise<ProductType[]> {
  return db<ProductType[]>`
    select p.key, p.name, p.maker_org_id, p.online_window_s, p.telemetry_interval_s,
      to_jsonb(p.controllable_keys) as controllable_keys,
      coalesce((
        select jsonb_agg(jsonb_build_object(
          'key', m.key, 'label', m.label, 'unit', m.unit, 'decimals', m.decimals, 'min_value', m.min_value,
          'max_value', m.max_value, 'watched', m.watched, 'min_deviation', m.min_deviation,
          'min_denominator', m.min_denominator, 'sort', m.sort, 'chart', m.chart
        ) order by m.sort, m.key)
        from public.metric_definitions m where m.product_type = p.key
      ), '[]') as metrics,
      coalesce((
        select jsonb_agg(to_jsonb(c) - 'product_type' order by c.sort, c.key)
        from public.control_definitions c where c.product_type = p.key
      ), '[]') as controls
    from public.product_types p order by p.key`;
}
