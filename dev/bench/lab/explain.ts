import type { Product } from './product.ts';

export interface ReadCost {
  what: string;
  buffers_rls: number;
  buffers_plain: number;
  ratio: number;
  /** Whether the policy is asked once per query instead of once per row. */
  init_plan: boolean;
  ms_rls: number;
  ms_plain: number;
}

interface Plan {
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  'Actual Total Time': number;
}

const READS: Record<string, string> = {
  'raw rows of a device, 1 h': `select t.ts, t.data from public.telemetry t where t.device_num = $num and t.ts >= now() - interval '1 hour'`,
  'raw rows of a device, 24 h': `select t.ts, t.data from public.telemetry t where t.device_num = $num and t.ts >= now() - interval '24 hours'`,
  'quarter-hour roll-ups of a device, 7 d': `select r.bucket, r.sums from public.rollups_15m r where r.device_num = $num and r.bucket >= now() - interval '7 days'`,
};

/** Pages read and plan shape of the reads behind a chart, as the user and as somebody no policy applies to. */
export async function explainReads(product: Product, serial: string, userId: string): Promise<ReadCost[]> {
  const { rows } = await product.query<{ num: number }>('select num from public.devices where serial = $1', [
    serial,
  ]);
  const costs: ReadCost[] = [];
  for (const [what, sql] of Object.entries(READS)) {
    const query = sql.replace('$num', String(rows[0]!.num));
    const rls = await explain(product, query, userId);
    const plain = await explain(product, query);
    costs.push({
      what,
      buffers_rls: rls.buffers,
      buffers_plain: plain.buffers,
      ratio: Math.round((rls.buffers / plain.buffers) * 100) / 100,
      init_plan: /InitPlan/.test(rls.text) && !/SubPlan \d+\)? *:|Filter: .*my_org_nums/.test(rls.text),
      ms_rls: rls.ms,
      ms_plain: plain.ms,
    });
  }
  return costs;
}

async function explain(
  product: Product,
  query: string,
  userId?: string,
): Promise<{ buffers: number; ms: number; text: string }> {
  await product.query('begin');
  try {
    if (userId) {
      await product.query(`select set_config('request.jwt.claims', $1, true)`, [
        JSON.stringify({ sub: userId, role: 'authenticated' }),
      ]);
      await product.query('set local role authenticated');
    }
    // Once for the caches, once for the numbers.
    await product.query(query);
    const json = await product.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(
      `explain (analyze, buffers, format json) ${query}`,
    );
    const text = await product.query<{ 'QUERY PLAN': string }>(`explain (costs off) ${query}`);
    const plan = json.rows[0]!['QUERY PLAN'][0]!.Plan;
    return {
      buffers: plan['Shared Hit Blocks'] + plan['Shared Read Blocks'],
      ms: Math.round(plan['Actual Total Time'] * 100) / 100,
      text: text.rows.map((row) => row['QUERY PLAN']).join('\n'),
    };
  } finally {
    await product.query('rollback');
  }
}
