import type { Plan } from '@edgeconductor/sdk';

const NAMES: Record<Plan, string> = {
  starter: 'Starter',
  pro: 'Pro',
  business: 'Business',
  enterprise: 'Enterprise',
};
const REQUESTS: Record<Plan, string> = {
  starter: '100 requests a minute',
  pro: '1,000 requests a minute',
  business: '10,000 requests a minute',
  enterprise: 'requests as agreed',
};

export const PLANS = (Object.keys(NAMES) as Plan[]).map((plan) => ({ value: plan, label: planWords(plan) }));

/** "Pro · 1,000 requests a minute". */
export function planWords(plan: Plan): string {
  return `${NAMES[plan]} · ${REQUESTS[plan]}`;
}

export function planName(plan: Plan): string {
  return NAMES[plan];
}
