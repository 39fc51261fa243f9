import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi, type TestApi } from '../test/api.ts';

/**
 * Who may call what (interfaces.md, "Who"). One letter per caller, in this order:
 *   a admin · p partner · o org_admin · e operator · v viewer · c customer · t tenant · x signed in, member of nothing
 *   r w O P  API key with scope read, write (which includes read), ota, provision · k provisioning key · d device · - nobody
 * A capital Y: goes through. Anything else is what it is refused with: 1 = 401, 3 = 403, 4 = 404.
 */
const CALLERS = ['a', 'p', 'o', 'e', 'v', 'c', 't', 'x', 'r', 'w', 'O', 'P', 'k', 'd', '-'] as const;
type Caller = (typeof CALLERS)[number];

const ORG = '{org}';
const TABLE: [method: string, path: string, who: string, body?: unknown][] = [
  //                                           apoevctx rwOP kd-
  ['GET', '/me', '                             YYYYYYYY YYYY Y31'],
  ['PATCH', '/me', '                           YYYYYYYY 3333 331', { full_name: 'Somebody' }],
  ['POST', '/sign-in/attempts', '              YYYYYYYY YYYY Y3Y', { email: '{unique}@example.com' }],
  ['POST', '/sign-in/successes', '             33333333 3333 331', { email: '{unique}@example.com' }],
  ['GET', '/users', '                          Y3333333 3333 331'],
  ['GET', '/product-types', '                  YYYYYYY3 YY33 331'],
  ['GET', '/devices', '                        YYYYYY33 YY33 331'],
  ['GET', '/devices/acme-001', '               YYYYYY33 YY33 331'],
  ['PATCH', '/devices/acme-001', '             YYY33333 3Y33 331', { tags: ['x'] }],
  ['PATCH', '/devices/acme-001/location', '    YYY33333 3Y33 331', { location_id: '{otherRoom}' }],
  ['DELETE', '/devices/{spare}', '             YYY33333 333Y 331'],
  ['GET', '/devices/acme-001/telemetry', '     YYYYYY33 YY33 331'],
  ['POST', '/devices/acme-001/telemetry', '    33333333 3Y33 3Y1', { temp: 1 }],
  ['GET', '/devices/acme-001/diagnostics', '   YYYYYY33 YY33 331'],
  ['GET', '/devices/acme-001/commands', '      YYYYY333 YY33 3Y1'],
  ['POST', '/devices/acme-001/commands', '     Y3YY3333 3Y33 331', { type: 'beep' }],
  ['POST', '/devices/acme-001/reboot', '       Y3YY3333 3Y33 331'],
  ['GET', '/devices/acme-001/commands/{uuid}', '44444333 4433 331'],
  ['DELETE', '/devices/acme-001/commands/{uuid}', '43443333 3433 331'],
  ['POST', '/devices/acme-001/commands/{uuid}/ack', '33333333 3333 341', { ok: true }],
  ['PATCH', '/devices/acme-001/shadow/desired', 'Y3YY3Y33 3Y33 331', { relay: true }],
  ['GET', '/devices/acme-001/shadow/history', '  YYYYY333 YY33 331'],
  ['POST', '/devices/acme-001/shadow/reported', '33333333 3333 3Y1', { relay: true }],
  ['GET', '/devices/acme-001/ota', '           YYYYY333 YY33 331'],
  // There is no such firmware.
  ['POST', '/devices/acme-001/ota', '          43433333 3343 331', { firmware_id: '{uuid}' }],
  [
    'POST',
    '/devices/acme-001/ota/status',
    '                                          33333333 3333 341',
    { job_id: '{uuid}', state: 'failed' },
  ],
  ['GET', '/firmware', '                       YYYYY333 YY33 331'],
  [
    'POST',
    '/firmware',
    '                                          Y3Y33333 33Y3 331',
    { org_id: ORG, product_type: 'tracker', filename: 'a.bin', size: 1000 },
  ],
  ['GET', '/firmware/files/unknown', '         44444444 4444 444'],
  ['GET', '/firmware/{uuid}', '                44444333 4433 331'],
  ['PATCH', '/firmware/{uuid}', '              44444333 3343 331', { notes: 'x' }],
  ['DELETE', '/firmware/{uuid}', '             44444333 3343 331'],
  ['POST', '/firmware/{uuid}/finish', '        44444333 3343 331'],
  ['GET', '/firmware/{uuid}/file', '           44444333 3343 331'],
  ['GET', `/orgs/${ORG}/signing-keys`, '       YYYYY333 YY33 331'],
  [
    'POST',
    `/orgs/${ORG}/ota-jobs/preview`,
    '                                          43433333 3343 331',
    { firmware_id: '{uuid}', target: { serials: ['acme-001'] } },
  ],
  [
    'POST',
    `/orgs/${ORG}/ota-jobs`,
    '                                          43433333 3343 331',
    { firmware_id: '{uuid}', target: { serials: ['acme-001'] } },
  ],
  ['GET', `/orgs/${ORG}/ota-jobs`, '           YYYYY333 YY33 331'],
  ['GET', '/ota-jobs/{uuid}', '                44444333 4433 331'],
  ['GET', '/ota-jobs/{uuid}/devices', '        44444333 4433 331'],
  ['GET', '/ota-jobs/{uuid}/devices/acme-001/events', '44444333 4433 331'],
  ['GET', '/ota-jobs/{uuid}/timeline', '       44444333 4433 331'],
  ['POST', '/ota-jobs/{uuid}/pause', '         44444333 3343 331'],
  ['POST', '/ota-jobs/{uuid}/resume', '        44444333 3343 331'],
  ['POST', '/ota-jobs/{uuid}/abort', '         44444333 3343 331'],
  ['POST', '/ota-jobs/{uuid}/retry', '         44444333 3343 331', {}],
  ['GET', `/orgs/${ORG}/device-filters`, '     YYYYY333 YY33 331'],
  ['POST', `/orgs/${ORG}/device-filters`, '    Y3YY3333 3Y33 331', { name: '{unique}', filter: {} }],
  ['DELETE', '/device-filters/{uuid}', '       44444333 3433 331'],
  ['GET', '/devices/acme-001/credentials', '   YYYYY333 YY33 331'],
  ['POST', '/devices/{spare}/credentials/rotate', 'YYY33333 3333 331', {}],
  ['DELETE', '/devices/acme-001/credentials/{uuid}', '44444333 3333 331'],
  ['GET', '/devices/acme-001/dead-letters', '  YYYYY333 YY33 331'],
  [
    'POST',
    '/claims/preview',
    '                44444444 4444 434',
    { serial: '{unique}', code: 'wrong-code' },
  ],
  [
    'POST',
    '/claims',
    '                        44444444 3333 331',
    { serial: '{unique}', code: 'wrong-code' },
  ],
  ['GET', '/devices/acme-001/claim-code', '    YYYYY333 YY33 331'],
  ['POST', '/devices/{spare}/claim-code', '    YYY33333 3333 331'],
  // Nobody claimed it: 409.
  ['POST', '/devices/{spare}/unclaim', '       99933433 3333 331'],
  ['GET', '/devices/acme-001/tenures', '       YYYYY333 YY33 331'],
  [
    'POST',
    `/orgs/${ORG}/devices/assign`,
    '                                          YYY33333 3Y33 331',
    { serials: ['acme-001'], location_id: '{room}' },
  ],
  [
    'POST',
    `/orgs/${ORG}/devices/import`,
    '                                          YYY33333 3Y33 331',
    { csv: 'serial,name\nacme-001,New', dry_run: true },
  ],
  ['GET', '/orgs', '                           YYYYY333 YY33 331'],
  ['POST', '/orgs', '                          YY333333 3333 331', { name: 'New' }],
  ['GET', `/orgs/${ORG}`, '                    YYYYY333 YY33 331'],
  ['PATCH', `/orgs/${ORG}`, '                  YYY33333 3Y33 331', { name: 'Acme' }],
  ['GET', `/orgs/${ORG}/overview`, '           YYYYY333 YY33 331'],
  ['GET', `/orgs/${ORG}/rooms`, '              YYYYY333 YY33 331'],
  ['POST', `/orgs/${ORG}/rooms`, '             YYY33333 3Y33 331', { name: '{unique}' }],
  ['GET', `/orgs/${ORG}/locations`, '          YYYYY333 YY33 331'],
  ['POST', `/orgs/${ORG}/locations`, '         YYY33333 3Y33 331', { name: '{unique}', type: 'site' }],
  ['PATCH', '/locations/{otherRoom}', '        YYY33333 3Y33 331', { timezone: 'Europe/Berlin' }],
  ['DELETE', '/locations/{uuid}', '            44444333 3433 331'],
  ['GET', `/orgs/${ORG}/dead-letters`, '       YYYYY333 YY33 331'],
  ['GET', `/orgs/${ORG}/audit`, '              YYYYY333 YY33 331'],
  ['GET', `/orgs/${ORG}/notifications`, '      Y3YY3333 YY33 331'],
  ['POST', `/orgs/${ORG}/notifications/read-all`, 'Y3YY3333 YY33 331'],
  ['PATCH', '/notifications/{uuid}/read', '    43443333 4433 331'],
  ['GET', `/orgs/${ORG}/api-keys`, '           YYY33333 3333 331'],
  ['POST', `/orgs/${ORG}/api-keys`, '          YYY33333 3333 331', { name: 'k', scopes: ['read'] }],
  ['DELETE', '/api-keys/{uuid}', '             44444333 3333 331'],
  ['DELETE', '/provisioning-keys/{uuid}', '    44444333 3333 331'],
  ['GET', `/orgs/${ORG}/provisioning-keys`, '  YYY33333 3333 331'],
  ['POST', `/orgs/${ORG}/provisioning-keys`, ' YYY33333 3333 331', { name: 'k', product_type: 'tracker' }],
  ['GET', `/orgs/${ORG}/members`, '            YYYYY333 YY33 331'],
  ['PATCH', '/members/{uuid}', '               44444333 3333 331', { role: 'viewer' }],
  ['DELETE', '/members/{uuid}', '              44444444 3333 331'],
  ['GET', `/orgs/${ORG}/invitations`, '        YYY33333 3333 331'],
  [
    'POST',
    `/orgs/${ORG}/invitations`,
    '                                          YYY33333 3333 331',
    { email: '{unique}@example.com', role: 'viewer' },
  ],
  ['POST', '/invitations/preview', '           44444444 4444 434', { token: 'unknown-token-unknown-token' }],
  ['POST', '/invitations/accept', '            44444444 3333 331', { token: 'unknown-token-unknown-token' }],
  ['POST', '/invitations/{uuid}/resend', '     44444333 3333 331'],
  ['DELETE', '/invitations/{uuid}', '          44444333 3333 331'],
  ['GET', '/rooms/{room}/tenants', '           YYYYY333 YY33 331'],
  ['GET', '/rooms/{room}/code', '              YYY33333 3333 331'],
  ['POST', '/rooms/{room}/code', '             YYY33333 3333 331', {}],
  ['DELETE', '/rooms/{otherRoom}/code', '      YYY33333 3333 331'],
  ['POST', `/orgs/${ORG}/room-codes`, '        YYY33333 3333 331', { room_ids: ['{room}'] }],
  ['POST', '/room-claims/preview', '           44444444 4444 434', { room_id: '{uuid}', code: 'WRONGC0DE' }],
  ['POST', '/room-claims', '                   44444444 3333 331', { room_id: '{uuid}', code: 'WRONGC0DE' }],
  ['GET', '/rooms/{room}', '                   YYYYY4Y3 YY33 331'],
  ['GET', '/rooms/{room}/climate', '           YYYYY4Y3 YY33 331'],
  ['GET', '/rooms/{otherRoom}', '              YYYYY443 YY33 331'],
  ['POST', '/live/leases', '                   YYYYYY33 YY33 331', { topics: ['device:acme-001'] }],
  ['POST', '/live/token', '                    YYYYYY33 YY33 331', { topics: ['device:acme-001'] }],
  ['POST', '/live/token', '                    YYYYY433 YY33 331', { topics: [`org:${ORG}`] }],
  ['POST', '/live/token', '                    Y4YY4433 YY33 331', { topics: [`bell:${ORG}`] }],
  ['GET', '/partners', '                       YY333333 3333 331'],
  ['POST', '/partners', '                      Y3333333 3333 331', { name: 'P', slug: '{slug}' }],
  ['GET', '/partners/{partner}', '             YY333333 3333 331'],
  ['GET', '/partners/{otherPartner}', '        Y4333333 3333 331'],
  ['PATCH', '/partners/{partner}', '           YY333333 3333 331', { contact_email: 'p@example.com' }],
  ['GET', '/partners/{partner}/invitations', ' YY333333 3333 331'],
  [
    'POST',
    '/partners/{partner}/invitations',
    '                                          Y3333333 3333 331',
    { email: '{unique}@example.com' },
  ],
  ['GET', '/partners/{partner}/stats', '       YY333333 3333 331'],
  ['GET', '/partners/{partner}/orgs', '        YY333333 3333 331'],
  ['POST', '/partners/{partner}/orgs', '       YY333333 3333 331', { name: 'Another' }],
  ['GET', '/partners/{otherPartner}/stats', '  Y4333333 3333 331'],
  [
    'POST',
    '/devices/register',
    '              YYY33333 333Y 331',
    { serial_no: '{unique}', product_type: 'tracker' },
  ],
  ['POST', '/devices/bulk', '                  YYY33333 333Y Y31', { devices: [{}] }],
];

let api: TestApi;
const tokens = {} as Record<Caller, string | undefined>;
let count = 0;

beforeAll(async () => {
  api = await startApi({}, { store: true });
  const { world } = api;
  // The table asks more than the hundred times a minute of the smallest plan.
  await api.db.query(`update public.orgs set plan = 'enterprise'`);
  const people = [
    world.admin,
    world.partnerUser,
    world.orgAdmin,
    world.operator,
    world.viewer,
    world.customer,
    world.tenant,
    world.outsider,
  ];
  for (const [n, person] of people.entries()) tokens[CALLERS[n]!] = await api.tokenOf(person);
  for (const [n, scope] of ['read', 'write', 'ota', 'provision'].entries())
    tokens[CALLERS[8 + n]!] = await api.apiKey([scope]);
  const made = await api.call('POST', `/orgs/${world.org.id}/provisioning-keys`, {
    as: tokens.a!,
    body: { name: 'k', product_type: 'tracker' },
  });
  tokens.k = made.body.key;
  const rotated = await api.call('POST', '/devices/acme-001/credentials/rotate', { as: tokens.a!, body: {} });
  tokens.d = rotated.body.mqtt_password;
});
afterAll(() => api?.stop());

/** Puts this world's ids in, and something new where each call needs its own. */
async function fill(text: string): Promise<string> {
  const { world } = api;
  count++;
  if (text.includes('{spare}')) {
    await api.call('POST', `/devices/register?org_id=${world.org.id}`, {
      as: tokens.a!,
      body: { serial_no: `spare-${count}`, product_type: 'tracker' },
    });
  }
  return text
    .replaceAll('{org}', world.org.id)
    .replaceAll('{room}', world.org.room)
    .replaceAll('{otherRoom}', world.org.otherRoom)
    .replaceAll('{partner}', world.partner)
    .replaceAll('{otherPartner}', world.otherPartner)
    .replaceAll('{spare}', `spare-${count}`)
    .replaceAll('{uuid}', randomUUID())
    .replaceAll('{unique}', `unique-${count}`)
    .replaceAll('{slug}', `slug-${count}`);
}

it.each(TABLE)('%s %s', async (method, path, who, body) => {
  const expected = who.replaceAll(' ', '');
  let got = '';
  for (const caller of CALLERS) {
    const filled = await fill(JSON.stringify({ path, body }));
    const { path: target, body: payload } = JSON.parse(filled) as { path: string; body?: unknown };
    // Who may register for several organisations says for which.
    const suffix = ['a', 'p'].includes(caller) && path.startsWith('/devices/') && /register|bulk/.test(path);
    const { status } = await api.call(method, suffix ? `${target}?org_id=${api.world.org.id}` : target, {
      ...(tokens[caller] === undefined ? {} : { as: tokens[caller] }),
      ...(payload === undefined ? {} : { body: payload }),
    });
    got += status < 300 ? 'Y' : status < 410 ? String(status - 400) : `(${status})`;
  }
  expect(got).toBe(expected);
});

it('every route of the OpenAPI document stands in this table', async () => {
  const { body } = await api.get('/openapi.json');
  const asked = TABLE.map(([method, path]) => `${method} ${path}`);
  const left = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) => {
    const like = new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`);
    return Object.keys(methods)
      .map((method) => method.toUpperCase())
      .filter((method) => !asked.some((one) => one.startsWith(`${method} `) && like.test(one.split(' ')[1]!)))
      .map((method) => `${method} ${path}`);
  });
  expect(left).toEqual(['GET /health', 'GET /openapi.json']);
});
