import type { OrgOverview } from '@edgeconductor/sdk';

type Entry = Pick<OrgOverview['activity'][number], 'action' | 'actor_label' | 'target_label'>;

export interface ActivityWords {
  before: string;
  target: string | null;
  actor: string | null;
}

const NOUNS: Record<string, string> = {
  api_key: 'API key',
  ota_job: 'Update job',
  ota: 'Firmware',
  org: 'Organisation',
};

/** `device_registered` → "Device registered": every action reads, also those of later versions. */
export function describeActivity({ action, actor_label, target_label }: Entry): ActivityWords {
  const noun = Object.keys(NOUNS).find((key) => action.startsWith(`${key}_`));
  const rest = (noun ? action.slice(noun.length) : action).replaceAll('_', ' ').trim();
  const text = noun ? `${NOUNS[noun]} ${rest}` : rest.charAt(0).toUpperCase() + rest.slice(1);
  return { before: text, target: target_label, actor: actor_label === 'system' ? null : actor_label };
}
