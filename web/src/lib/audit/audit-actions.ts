import { describeActivity } from './activity-words.ts';

/** What the log's filter offers, by what it is about. Actions it does not know still read, they are only not offered. */
const ACTIONS: readonly (readonly [string, readonly string[]])[] = [
  [
    'Devices',
    [
      'device_registered',
      'device_restored',
      'device_updated',
      'device_assigned',
      'device_received',
      'device_claimed',
      'device_unclaimed',
      'device_retired',
      'device_deleted',
      'claim_code_reissued',
      'device_secret_reissued',
      'credential_rotated',
      'credential_revoked',
    ],
  ],
  [
    'People',
    [
      'invitation_sent',
      'invitation_resent',
      'invitation_accepted',
      'invitation_revoked',
      'member_role_changed',
      'member_removed',
      'tenant_moved_out',
    ],
  ],
  [
    'Places',
    [
      'location_created',
      'location_updated',
      'location_deleted',
      'room_claimed',
      'room_code_issued',
      'room_code_revoked',
      'tenants_moved_out',
    ],
  ],
  [
    'Firmware',
    [
      'firmware_uploaded',
      'firmware_updated',
      'firmware_retired',
      'ota_job_created',
      'ota_pushed',
      'ota_job_paused',
      'ota_job_resumed',
      'ota_job_aborted',
      'ota_job_retried',
    ],
  ],
  ['Keys', ['api_key_created', 'api_key_revoked', 'provisioning_key_created', 'provisioning_key_revoked']],
  ['Organisation', ['org_created', 'org_updated']],
];

export const ACTION_CHOICES = ACTIONS.map(([group, actions]) => ({
  group,
  actions: actions.map((value) => ({ value, label: wordsOf(value) })),
}));

export function wordsOf(action: string): string {
  return describeActivity({ action, actor_label: null, target_label: null }).before;
}
