/**
 * How each route is asked for a thing that is not the caller's, as data. `{org}`, `{room}` and so on are ids of the
 * foreign place, or of nothing at all; `{my.…}` are the caller's own. A route of the OpenAPI document that is missing
 * here fails the tenancy matrix: whoever adds one says how it could be asked for somebody else's thing.
 */

export interface Asked {
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/** A plain path takes the ids that its place in the tree says, see `idsOf`. */
export type Expectation = (Asked | string)[] | { names: 'nothing'; because: string };

const nothing = (because: string): Expectation => ({ names: 'nothing', because });
const each = (path: string, ...bodies: unknown[]): Asked[] => bodies.map((body) => ({ path, body }));

/** Jobs of one's own with what is not: firmware, devices, places, filters. */
const ofOthers = [
  { firmware_id: '{firmware}', target: { serials: ['{my.serial}'] } },
  { firmware_id: '{my.firmware}', target: { serials: ['{serial}'] } },
  { firmware_id: '{my.firmware}', target: { filter: { room_id: '{room}' } } },
  { firmware_id: '{my.firmware}', target: { filter_id: '{filter}' } },
];

export const ROUTES: Record<string, Expectation> = {
  'GET /health': nothing('it answers for the service'),
  'GET /openapi.json': nothing('it is the same for everybody'),
  'GET /me': nothing('it answers for the caller'),
  'PATCH /me': nothing('it changes the caller'),
  'GET /product-types': nothing('it lists; the lists are compared'),
  'GET /users': nothing('it is for admins alone'),
  'GET /orgs': nothing('it lists; the lists are compared'),
  'GET /partners': nothing('it lists; the lists are compared'),
  'POST /partners': nothing('it is for admins alone'),
  'POST /sign-in/attempts': nothing('it counts, whoever is named'),
  'POST /sign-in/successes': nothing('it takes the caller’s own address alone'),
  'POST /invitations/preview': nothing('the token is all that counts, it is unknown or the caller’s'),
  'POST /invitations/accept': nothing('the token is all that counts, it is unknown or the caller’s'),

  'POST /devices/register': each('/devices/register?org_id={org}', {
    serial_no: '{new}',
    product_type: 'tracker',
  }),
  'POST /devices/bulk': each('/devices/bulk?org_id={org}', {
    devices: [{ serial_no: '{new}', product_type: 'tracker' }],
  }),
  'GET /devices': [
    '/devices?org_id={org}',
    '/devices?tenant_id={room}',
    '/devices?room_id={room}',
    '/devices?q={serial}',
    '/devices?product_type={type}',
    '/devices?org_id={org}&format=csv',
  ],
  'GET /devices/{serial}': ['/devices/{serial}'],
  'PATCH /devices/{serial}': [
    ...each('/devices/{serial}', { name: 'Mine now' }, { tags: ['mine'] }, { attributes: { a: '1' } }),
  ],
  'DELETE /devices/{serial}': ['/devices/{serial}', '/devices/{serial}?force=true'],
  'PATCH /devices/{serial}/location': [
    ...each('/devices/{serial}/location', { location_id: '{my.room}' }, { location_id: null }),
    ...each('/devices/{my.serial}/location', { location_id: '{room}' }),
  ],
  'POST /devices/{serial}/telemetry': each('/devices/{serial}/telemetry', { temp: 1 }, [{ temp: 1 }]),
  'GET /devices/{serial}/telemetry': [
    '/devices/{serial}/telemetry',
    '/devices/{serial}/telemetry?hours=24&buckets=auto',
    '/devices/{serial}/telemetry?format=csv',
  ],
  'GET /devices/{serial}/diagnostics': [
    '/devices/{serial}/diagnostics',
    '/devices/{serial}/diagnostics?hours=6',
  ],
  'GET /devices/{serial}/commands': ['/devices/{serial}/commands', '/devices/{serial}/commands?state=queued'],
  'POST /devices/{serial}/commands': each('/devices/{serial}/commands', { type: 'beep' }),
  'POST /devices/{serial}/reboot': ['/devices/{serial}/reboot'],
  'GET /devices/{serial}/commands/{id}': [
    '/devices/{serial}/commands/{command}',
    '/devices/{my.serial}/commands/{command}',
  ],
  'DELETE /devices/{serial}/commands/{id}': [
    '/devices/{serial}/commands/{command}',
    '/devices/{my.serial}/commands/{command}',
  ],
  'POST /devices/{serial}/commands/{id}/ack': [
    ...each('/devices/{serial}/commands/{command}/ack', { ok: true }),
    ...each('/devices/{my.serial}/commands/{command}/ack', { ok: true }),
  ],
  'PATCH /devices/{serial}/shadow/desired': [
    { path: '/devices/{serial}/shadow/desired', body: { relay: true } },
    { path: '/devices/{serial}/shadow/desired', body: { relay: true }, headers: { 'if-match': '0' } },
  ],
  'GET /devices/{serial}/shadow/history': ['/devices/{serial}/shadow/history'],
  'POST /devices/{serial}/shadow/reported': each('/devices/{serial}/shadow/reported', { relay: true }),
  'GET /devices/{serial}/ota': ['/devices/{serial}/ota'],
  'POST /devices/{serial}/ota': [
    ...each('/devices/{serial}/ota', { firmware_id: '{my.firmware}' }),
    ...each('/devices/{my.serial}/ota', { firmware_id: '{firmware}' }),
  ],
  'POST /devices/{serial}/ota/status': [
    ...each('/devices/{serial}/ota/status', { job_id: '{job}', state: 'failed' }),
    ...each('/devices/{my.serial}/ota/status', { job_id: '{job}', state: 'failed' }),
  ],
  'GET /firmware': ['/firmware?org_id={org}'],
  'POST /firmware': each('/firmware', {
    org_id: '{org}',
    product_type: 'tracker',
    filename: 'mine.bin',
    size: 1000,
  }),
  'GET /firmware/files/{token}': nothing('the token is all that counts, whoever follows it'),
  'GET /firmware/{id}': ['/firmware/{firmware}'],
  'PATCH /firmware/{id}': each('/firmware/{firmware}', { notes: 'Mine' }),
  'DELETE /firmware/{id}': ['/firmware/{firmware}'],
  'POST /firmware/{id}/finish': ['/firmware/{firmware}/finish'],
  'GET /firmware/{id}/file': ['/firmware/{firmware}/file'],
  'GET /orgs/{id}/signing-keys': ['/orgs/{org}/signing-keys'],
  'POST /orgs/{id}/ota-jobs/preview': [
    ...each('/orgs/{org}/ota-jobs/preview', { firmware_id: '{firmware}', target: { serials: ['{serial}'] } }),
    ...ofOthers.map((body) => ({ path: '/orgs/{my.org}/ota-jobs/preview', body })),
    ...each('/orgs/{my.org}/ota-jobs/preview', {
      firmware_id: '{my.firmware}',
      target: { serials: ['{my.serial}'] },
      stages: [{ serials: ['{serial}'] }],
    }),
  ],
  'POST /orgs/{id}/ota-jobs': [
    ...each('/orgs/{org}/ota-jobs', { firmware_id: '{firmware}', target: { serials: ['{serial}'] } }),
    ...ofOthers.map((body) => ({ path: '/orgs/{my.org}/ota-jobs', body })),
  ],
  'GET /orgs/{id}/ota-jobs': ['/orgs/{org}/ota-jobs', '/orgs/{org}/ota-jobs?state=running'],
  'GET /ota-jobs/{id}': ['/ota-jobs/{job}'],
  'GET /ota-jobs/{id}/devices': ['/ota-jobs/{job}/devices', '/ota-jobs/{job}/devices?state=queued'],
  'GET /ota-jobs/{id}/devices/{serial}/events': [
    '/ota-jobs/{job}/devices/{serial}/events',
    '/ota-jobs/{job}/devices/{my.serial}/events',
  ],
  'GET /ota-jobs/{id}/timeline': ['/ota-jobs/{job}/timeline'],
  'POST /ota-jobs/{id}/pause': ['/ota-jobs/{job}/pause'],
  'POST /ota-jobs/{id}/resume': ['/ota-jobs/{job}/resume'],
  'POST /ota-jobs/{id}/abort': ['/ota-jobs/{job}/abort'],
  'POST /ota-jobs/{id}/retry': each('/ota-jobs/{job}/retry', {}, { states: ['failed'] }),
  'GET /orgs/{id}/device-filters': ['/orgs/{org}/device-filters'],
  'POST /orgs/{id}/device-filters': each('/orgs/{org}/device-filters', { name: '{new}', filter: {} }),
  'DELETE /device-filters/{id}': ['/device-filters/{filter}'],
  'GET /devices/{serial}/credentials': ['/devices/{serial}/credentials'],
  'POST /devices/{serial}/credentials/rotate': each('/devices/{serial}/credentials/rotate', {}),
  'DELETE /devices/{serial}/credentials/{id}': [
    '/devices/{serial}/credentials/{credential}',
    '/devices/{my.serial}/credentials/{credential}',
  ],
  'GET /devices/{serial}/dead-letters': ['/devices/{serial}/dead-letters'],
  'GET /devices/{serial}/claim-code': ['/devices/{serial}/claim-code'],
  'POST /devices/{serial}/claim-code': ['/devices/{serial}/claim-code'],
  'POST /devices/{serial}/unclaim': ['/devices/{serial}/unclaim'],
  'GET /devices/{serial}/tenures': ['/devices/{serial}/tenures'],

  'POST /claims/preview': each('/claims/preview', { serial: '{spare}', code: 'wrong-code' }),
  'POST /claims': [
    ...each('/claims', { serial: '{spare}', code: 'wrong-code' }),
    ...each('/claims', { serial: '{my.claimable}', code: '{my.code}', org_id: '{org}' }),
  ],
  'POST /room-claims/preview': each('/room-claims/preview', { room_id: '{emptyRoom}', code: 'WRONGC0DE' }),
  'POST /room-claims': each('/room-claims', { room_id: '{emptyRoom}', code: 'WRONGC0DE' }),

  'POST /orgs': each('/orgs', { name: 'New', partner_id: '{partner}' }),
  'GET /orgs/{id}': ['/orgs/{org}'],
  'PATCH /orgs/{id}': each('/orgs/{org}', { name: 'Mine now' }),
  'GET /orgs/{id}/overview': ['/orgs/{org}/overview'],
  'GET /orgs/{id}/rooms': ['/orgs/{org}/rooms'],
  'POST /orgs/{id}/rooms': each('/orgs/{org}/rooms', { name: 'Mine' }),
  'GET /orgs/{id}/locations': ['/orgs/{org}/locations'],
  'POST /orgs/{id}/locations': [
    ...each('/orgs/{org}/locations', { name: 'Mine', type: 'site' }),
    ...each('/orgs/{my.org}/locations', { name: 'Mine', type: 'room', parent_id: '{building}' }),
  ],
  'PATCH /locations/{id}': each('/locations/{building}', { name: 'Mine' }, { timezone: 'Europe/Berlin' }),
  'DELETE /locations/{id}': ['/locations/{emptyRoom}'],
  'GET /orgs/{id}/dead-letters': ['/orgs/{org}/dead-letters'],
  'GET /orgs/{id}/audit': ['/orgs/{org}/audit', '/orgs/{org}/audit?format=csv'],
  'GET /orgs/{id}/notifications': ['/orgs/{org}/notifications', '/orgs/{org}/notifications?unread=true'],
  'POST /orgs/{id}/notifications/read-all': ['/orgs/{org}/notifications/read-all'],
  'PATCH /notifications/{id}/read': ['/notifications/{notification}/read'],
  'GET /orgs/{id}/api-keys': ['/orgs/{org}/api-keys'],
  'POST /orgs/{id}/api-keys': each('/orgs/{org}/api-keys', { name: 'k', scopes: ['read'] }),
  'DELETE /api-keys/{id}': ['/api-keys/{apiKey}'],
  'GET /orgs/{id}/provisioning-keys': ['/orgs/{org}/provisioning-keys'],
  'POST /orgs/{id}/provisioning-keys': each('/orgs/{org}/provisioning-keys', {
    name: 'k',
    product_type: 'tracker',
  }),
  'DELETE /provisioning-keys/{id}': ['/provisioning-keys/{provisioningKey}'],
  'GET /orgs/{id}/members': ['/orgs/{org}/members', '/orgs/{org}/members?role=viewer'],
  'PATCH /members/{id}': each('/members/{member}', { role: 'operator' }),
  'DELETE /members/{id}': ['/members/{member}'],
  'GET /orgs/{id}/invitations': ['/orgs/{org}/invitations'],
  'POST /orgs/{id}/invitations': [
    ...each('/orgs/{org}/invitations', { email: '{new}@example.com', role: 'org_admin' }),
    ...each('/orgs/{my.org}/invitations', {
      email: '{new}@example.com',
      role: 'tenant',
      location_id: '{room}',
    }),
  ],
  'POST /invitations/{id}/resend': ['/invitations/{invitation}/resend'],
  'DELETE /invitations/{id}': ['/invitations/{invitation}'],
  'POST /orgs/{id}/devices/assign': [
    ...each('/orgs/{org}/devices/assign', { serials: ['{serial}'], location_id: null }),
    ...each('/orgs/{my.org}/devices/assign', { serials: ['{serial}'], location_id: '{my.room}' }),
    ...each('/orgs/{my.org}/devices/assign', { serials: ['{my.serial}'], location_id: '{room}' }),
    ...each('/orgs/{my.org}/devices/assign', { serials: ['{my.serial}'], org_id: '{org}' }),
  ],
  'POST /orgs/{id}/devices/import': each('/orgs/{org}/devices/import', {
    csv: 'serial,name\n{serial},Mine',
    dry_run: false,
  }),
  'POST /orgs/{id}/room-codes': [
    ...each('/orgs/{org}/room-codes', { room_ids: ['{room}'] }),
    ...each('/orgs/{my.org}/room-codes', { room_ids: ['{room}'] }),
  ],
  'GET /rooms/{id}': ['/rooms/{room}'],
  'GET /rooms/{id}/climate': ['/rooms/{room}/climate?hours=24'],
  'GET /rooms/{id}/tenants': ['/rooms/{room}/tenants'],
  'GET /rooms/{id}/code': ['/rooms/{room}/code'],
  'POST /rooms/{id}/code': each('/rooms/{room}/code', {}, { end_tenants: true }),
  'DELETE /rooms/{id}/code': ['/rooms/{room}/code', '/rooms/{room}/code?end_tenants=true'],
  'GET /partners/{id}': ['/partners/{partner}'],
  'PATCH /partners/{id}': each('/partners/{partner}', { contact_email: 'mine@example.com' }),
  'GET /partners/{id}/stats': ['/partners/{partner}/stats'],
  'GET /partners/{id}/orgs': ['/partners/{partner}/orgs'],
  'POST /partners/{id}/orgs': each('/partners/{partner}/orgs', { name: 'Mine' }),
  'GET /partners/{id}/invitations': ['/partners/{partner}/invitations'],
  'POST /partners/{id}/invitations': each('/partners/{partner}/invitations', { email: '{new}@example.com' }),
  'POST /live/leases': each(
    '/live/leases',
    { topics: ['org:{org}'] },
    { topics: ['device:{serial}'] },
    { topics: ['bell:{org}'] },
    { topics: ['job:{job}'] },
  ),
  'POST /live/token': each(
    '/live/token',
    { topics: ['org:{org}'] },
    { topics: ['device:{serial}'] },
    { topics: ['bell:{org}'] },
    { topics: ['job:{job}'] },
  ),
};

/** Lists without a filter: they hold nothing of a foreign place. */
export const LISTS = [
  '/devices?limit=500',
  '/orgs',
  '/partners',
  '/product-types',
  '/users',
  '/me',
  '/devices?format=csv',
  '/firmware',
];
