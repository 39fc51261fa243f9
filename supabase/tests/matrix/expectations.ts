/**
 * Who may reach what, as data (interfaces.md, "Who"). A table, bucket or kind of live topic that is missing here fails
 * the tests beside: whoever adds one says who reads it.
 */

export const CALLERS = [
  ...(['admin', 'partnerUser', 'orgAdmin', 'operator', 'viewer', 'customer', 'tenant', 'outsider'] as const),
  ...(['strangerAdmin', 'apiKey', 'writeOnlyKey', 'provisioningKey', 'device', 'nobody'] as const),
] as const;
export type Caller = (typeof CALLERS)[number];

/**
 * Seen from the people of `org`: their own thing, that of a neighbour in the same org (another room, another customer),
 * of another org of the same partner, and of another partner's org.
 */
export const PLACES = ['org', 'neighbour', 'sibling', 'stranger'] as const;
export type Place = (typeof PLACES)[number];

const STAFF: Caller[] = ['admin', 'partnerUser', 'orgAdmin', 'operator', 'viewer', 'apiKey'];
const MANAGERS: Caller[] = ['admin', 'partnerUser', 'orgAdmin'];
/** Whom an org's bell rings for. */
const RUNNERS: Caller[] = ['admin', 'orgAdmin', 'operator', 'apiKey'];
const EVERYBODY: Caller[] = [...STAFF, 'customer', 'tenant'];

export interface Readable {
  /** The column that tells whose a row is. */
  key: string;
  /** Who of `org`'s people reads its rows. */
  readers: Caller[];
}

/** Tables of the exposed schema. Nobody writes any of them: all writes go through functions. */
export const TABLES: Record<string, Readable> = {
  partners: { key: 'id', readers: ['admin', 'partnerUser'] },
  orgs: { key: 'id', readers: EVERYBODY },
  locations: { key: 'id', readers: [...STAFF, 'tenant'] },
  devices: { key: 'id', readers: EVERYBODY },
  device_tenures: { key: 'device_id', readers: EVERYBODY },
  device_credentials: { key: 'device_id', readers: STAFF },
  device_commands: { key: 'device_id', readers: STAFF },
  device_reboots: { key: 'device_num', readers: EVERYBODY },
  claim_codes: { key: 'device_id', readers: STAFF },
  serial_prefixes: { key: 'maker_org_id', readers: STAFF },
  api_keys: { key: 'org_id', readers: MANAGERS },
  provisioning_keys: { key: 'org_id', readers: MANAGERS },
  invitations: { key: 'org_id', readers: MANAGERS },
  room_codes: { key: 'org_id', readers: MANAGERS },
  // The same for everybody: no row of it is anybody's.
  plan_limits: { key: 'plan', readers: [] },
  // Everybody also sees their own rows of the next two.
  memberships: { key: 'user_id', readers: STAFF },
  profiles: { key: 'id', readers: STAFF },
  product_types: { key: 'maker_org_id', readers: STAFF },
  metric_definitions: { key: 'product_type', readers: STAFF },
  control_definitions: { key: 'product_type', readers: STAFF },
  telemetry: { key: 'device_num', readers: EVERYBODY },
  rollups_1m: { key: 'device_num', readers: EVERYBODY },
  rollups_5m: { key: 'device_num', readers: EVERYBODY },
  rollups_15m: { key: 'device_num', readers: EVERYBODY },
  rollups_1h: { key: 'device_num', readers: EVERYBODY },
  rollups_1d: { key: 'device_num', readers: EVERYBODY },
  device_state: { key: 'device_num', readers: EVERYBODY },
  deviations: { key: 'device_num', readers: STAFF },
  dead_letters: { key: 'org_id', readers: STAFF },
  audit_log: { key: 'org_id', readers: STAFF },
  product_type_keys: { key: 'maker_org_id', readers: STAFF },
  // An org that holds devices of another maker also chooses among that maker's; here each has its own only.
  firmware: { key: 'org_id', readers: STAFF },
  device_filters: { key: 'org_id', readers: STAFF },
  ota_jobs: { key: 'org_id', readers: STAFF },
  ota_job_devices: { key: 'device_id', readers: STAFF },
  ota_events: { key: 'org_id', readers: STAFF },
  notifications: { key: 'org_id', readers: RUNNERS },
};

/** Kinds of private Realtime topics, `<kind>:<id>:<epoch>`, and who of `org`'s people may listen. */
export const TOPICS: Record<string, Caller[]> = {
  org: STAFF,
  device: EVERYBODY,
  bell: RUNNERS,
  job: STAFF,
};

/** Storage buckets and who may read an object whose path begins with an id of their place: only signed addresses lead there. */
export const BUCKETS: Record<string, Caller[]> = { firmware: [] };

/** The places whose things of this kind the caller reaches. */
export function placesFor(caller: Caller, readers: readonly Caller[]): Place[] {
  if (caller === 'strangerAdmin') return readers.includes('orgAdmin') ? ['stranger'] : [];
  if (!readers.includes(caller)) return [];
  if (caller === 'admin') return [...PLACES];
  if (caller === 'partnerUser') return ['org', 'neighbour', 'sibling'];
  return caller === 'customer' || caller === 'tenant' ? ['org'] : ['org', 'neighbour'];
}
