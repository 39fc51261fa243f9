import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from '../test/api.ts';
import { startMail, type TestMail } from '../test/mail.ts';
import { newPerson } from '../test/people.ts';

let api: TestApi;
let mail: TestMail;
let admin: string;
let org: string;
beforeAll(async () => {
  api = await startApi();
  mail = await startMail(api);
  admin = await api.tokenOf(api.world.orgAdmin);
  org = api.world.org.id;
});
afterAll(async () => {
  await mail?.stop();
  await api?.stop();
});

let count = 0;
const newAddress = () => `invited-${++count}@example.com`;
const invite = (email: string, role = 'operator', more: object = {}, as = admin) =>
  api.call('POST', `/orgs/${org}/invitations`, { as, body: { email, role, ...more } });
const tokenIn = (text: string): string => /\/invite\?token=([\w-]+)/.exec(text)![1]!;
/** The token of the newest mail to an address. */
async function mailed(email: string): Promise<string> {
  await mail.kick();
  return tokenIn(mail.mails.filter((one) => one.to === email).at(-1)!.text);
}
const preview = (token: string) => api.call('POST', '/invitations/preview', { body: { token } });
const accept = (token: string, as: string) =>
  api.call('POST', '/invitations/accept', { as, body: { token } });

describe('an invitation', () => {
  it('arrives by mail, is shown before sign-in, and makes who it was sent to a member', async () => {
    const email = newAddress();
    const made = await invite(email.toUpperCase());
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ email, role: 'operator', state: 'open', sent_count: 1, org_id: org });
    const token = await mailed(email);
    expect(mail.mails.at(-1)).toMatchObject({
      to: email,
      from: '"acme" <no-reply@example.com>',
      subject: 'Invitation to acme',
    });
    expect(mail.mails.at(-1)!.html).toContain('http://web.test/invite?token=');
    expect((await preview(token)).body).toMatchObject({
      state: 'open',
      email,
      role: 'operator',
      org: { name: 'acme' },
      partner: null,
    });
    const person = await newPerson(api, email);
    const accepted = await accept(token, person.token);
    expect(accepted.status).toBe(201);
    expect(accepted.body).toMatchObject({ home: '/org', membership: { role: 'operator', org_id: org } });
    expect((await api.get(`/orgs/${org}`, person.token)).status).toBe(200);
    expect((await accept(token, person.token)).status).toBe(200);
    expect((await preview(token)).body.state).toBe('accepted');
    const members = await api.get(`/orgs/${org}/members?q=${email}`, admin);
    expect(members.body).toMatchObject([{ user_id: person.id, role: 'operator' }]);
  });

  it('is bound to its address, proven at the auth server', async () => {
    const email = newAddress();
    await invite(email);
    const token = await mailed(email);
    const stranger = await newPerson(api);
    const other = await accept(token, stranger.token);
    expect([other.status, other.body.code, other.body.email]).toEqual([403, 'forbidden', email]);
    const unproven = await newPerson(api, email);
    await api.db.query('update auth.users set email_confirmed_at = null where id = $1', [unproven.id]);
    expect((await accept(token, unproven.token)).status).toBe(403);
    expect((await preview(token)).body.state).toBe('open');
  });

  it('accepted at the same moment twice makes one member', async () => {
    const email = newAddress();
    await invite(email);
    const token = await mailed(email);
    const person = await newPerson(api, email);
    const sessions = await Promise.all(Array.from({ length: 4 }, () => api.tokenOf({ user: person.id })));
    const statuses = await Promise.all(sessions.map(async (as) => (await accept(token, as)).status));
    expect(statuses.sort()).toEqual([200, 200, 200, 201]);
    const members = await api.get(`/orgs/${org}/members?q=${email}`, admin);
    expect(members.body).toHaveLength(1);
  });

  it('sent again works by the newest link only', async () => {
    const email = newAddress();
    const { id } = (await invite(email)).body;
    const first = await mailed(email);
    const again = await api.call('POST', `/invitations/${id}/resend`, { as: admin });
    expect(again.body).toMatchObject({ id, sent_count: 2 });
    const second = await mailed(email);
    const third = (await invite(email)).body;
    expect(third).toMatchObject({ id, sent_count: 3 });
    expect([(await preview(first)).status, (await preview(second)).status]).toEqual([404, 404]);
    expect((await preview(await mailed(email))).body.state).toBe('open');
  });

  it('revoked or expired is over, and says so', async () => {
    const person = await newPerson(api, newAddress());
    const { id } = (await invite(person.email)).body;
    const token = await mailed(person.email);
    expect((await api.call('DELETE', `/invitations/${id}`, { as: admin })).status).toBe(204);
    expect((await preview(token)).body.state).toBe('revoked');
    const revoked = await accept(token, person.token);
    expect([revoked.status, revoked.body.reason]).toEqual([410, 'revoked']);

    await invite(person.email);
    const late = await mailed(person.email);
    await api.db.query(
      `update public.invitations set expires_at = now() where email = $1 and revoked_at is null`,
      [person.email],
    );
    const expired = await accept(late, person.token);
    expect([expired.status, expired.body.code, expired.body.reason]).toEqual([410, 'expired', 'expired']);
  });

  it('of a tenant names the room', async () => {
    const email = newAddress();
    expect((await invite(email, 'tenant')).status).toBe(400);
    expect((await invite(email, 'tenant', { location_id: api.world.org.room })).status).toBe(201);
    const token = await mailed(email);
    expect(mail.mails.at(-1)!.subject).toBe('Invitation to Lab at acme');
    const person = await newPerson(api, email);
    expect((await accept(token, person.token)).body).toMatchObject({
      home: '/portal/room',
      membership: { location_id: api.world.org.room },
    });
  });
});

describe('who may invite whom', () => {
  it('org admins for their own organisation, nobody below them', async () => {
    for (const actor of [api.world.operator, api.world.viewer]) {
      const answer = await invite(newAddress(), 'viewer', {}, await api.tokenOf(actor));
      expect(answer.status).toBe(403);
    }
    const stranger = await api.tokenOf(api.world.strangerAdmin);
    expect((await invite(newAddress(), 'viewer', {}, stranger)).status).toBe(404);
    const key = await api.apiKey(['read', 'write', 'provision']);
    expect((await invite(newAddress(), 'viewer', {}, key)).status).toBe(403);
    expect((await invite(newAddress(), 'admin')).status).toBe(400);
  });

  it('partners for their organisations, administrators partners as well', async () => {
    const partner = await api.tokenOf(api.world.partnerUser);
    expect((await invite(newAddress(), 'org_admin', {}, partner)).status).toBe(201);
    const path = `/partners/${api.world.partner}/invitations`;
    const platform = await api.tokenOf(api.world.admin);
    const email = newAddress();
    const made = await api.call('POST', path, { as: platform, body: { email } });
    expect(made.body).toMatchObject({ role: 'partner', partner_id: api.world.partner, org_id: null });
    const person = await newPerson(api, email);
    const accepted = await accept(await mailed(email), person.token);
    expect(accepted.body).toMatchObject({ home: '/partner', membership: { partner_id: api.world.partner } });
    expect((await api.get(path, platform)).body[0]).toMatchObject({ email, state: 'accepted' });
    const other = `/partners/${api.world.otherPartner}/invitations`;
    expect((await api.call('POST', other, { as: partner, body: { email: newAddress() } })).status).toBe(404);
  });

  it('a list shows the open ones and pages', async () => {
    for (let n = 0; n < 3; n++) await invite(newAddress(), 'viewer');
    const first = await api.get(`/orgs/${org}/invitations?state=open&limit=2`, admin);
    expect(first.body).toHaveLength(2);
    expect(first.body[0]).toMatchObject({ state: 'open', invited_by: expect.stringContaining('@') });
    const next = /after=([\w-]+)/.exec(first.headers.get('link')!)![1];
    const second = await api.get(`/orgs/${org}/invitations?state=open&limit=2&after=${next}`, admin);
    const ids = [...first.body, ...second.body].map((one: { id: string }) => one.id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('mail', () => {
  it('that the provider cannot take now goes later, once', async () => {
    await mail.kick();
    const email = newAddress();
    await invite(email);
    mail.refuse(503, 1);
    expect((await mail.kick()).body).toMatchObject({ mail: { sent: 0, failed: 1 } });
    await api.db.query('update ec.mail_outbox set next_attempt_at = now() where sent_at is null');
    expect((await mail.kick()).body).toMatchObject({ mail: { sent: 1, failed: 0 } });
    expect((await mail.kick()).body).toMatchObject({ mail: { sent: 0, failed: 0 } });
    expect(mail.mails.filter((one) => one.to === email)).toHaveLength(1);
  });

  it('that the provider will never take is given up, and its token forgotten', async () => {
    await invite(newAddress());
    mail.refuse(422, 1);
    await mail.kick();
    const [row] = await api.db.query(
      'select data, failed_at, last_error from ec.mail_outbox order by id desc limit 1',
    );
    expect(row).toMatchObject({ data: {}, failed_at: expect.any(Date), last_error: '422 refused_by_test' });
  });

  it('leaves no token behind: not in the database, not in a log', async () => {
    const email = newAddress();
    await invite(email);
    const token = await mailed(email);
    const rows = await api.db.query('select data from ec.mail_outbox where sent_at is not null');
    expect(rows.every((row) => JSON.stringify(row['data']) === '{}')).toBe(true);
    await preview(token);
    expect([...api.log, ...mail.log].join()).not.toMatch(new RegExp(`${token}|${email}`));
  });

  it('is only sent when the database asks with its secret', async () => {
    expect((await mail.kick('wrong')).status).toBe(401);
    expect((await mail.kick('')).status).toBe(401);
    expect((await mail.kick('worker-secret', '{"jobs":["nothing"]}')).status).toBe(400);
    expect((await mail.kick('worker-secret', '')).status).toBe(200);
    expect((await fetch(`${mail.url}/health`)).status).toBe(200);
    expect((await fetch(`${mail.url}/other`)).status).toBe(404);
  });
});
