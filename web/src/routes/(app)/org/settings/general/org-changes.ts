import type { Org, OrgPatch } from '@edgeconductor/sdk';

export interface OrgTyped {
  name: string;
  timezone: string;
  /** '' = none. */
  product: string;
  plan: Org['plan'];
}

export function typedOf({ name, timezone, product, plan }: Org): OrgTyped {
  return { name, timezone, product: product ?? '', plan };
}

/** What was changed, as a patch, and the patch that takes it back; null when nothing was. */
export function changesOf(org: Org, typed: OrgTyped): { patch: OrgPatch; before: OrgPatch } | null {
  const patch: OrgPatch = {};
  const before: OrgPatch = {};
  const name = typed.name.trim();
  if (name && name !== org.name) [patch.name, before.name] = [name, org.name];
  const zone = typed.timezone.trim();
  if (zone && zone !== org.timezone) [patch.timezone, before.timezone] = [zone, org.timezone];
  const product = typed.product || null;
  if (product !== org.product) [patch.product, before.product] = [product, org.product];
  if (typed.plan !== org.plan) [patch.plan, before.plan] = [typed.plan, org.plan];
  return Object.keys(patch).length > 0 ? { patch, before } : null;
}
