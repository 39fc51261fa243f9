import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { windowWithRoom } from '../../../supabase/functions/test/window.ts';
import { startStack, type TestStack } from '../testing.ts';

let stack: TestStack;
let admin: string;

beforeAll(async () => {
  stack = await startStack({ only: ['auth', 'api', 'worker', 'mail', 'cron'] });
  const { email, password } = stack.facts.admin!;
  admin = (await auth('token?grant_type=password', { email, password })).access_token;
});

afterAll(async () => {
  await stack?.stop();
});

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers of all shapes
type Json = any;

async function auth(path: string, body: object): Promise<Json> {
  const response = await fetch(`${stack.facts.supabase_url}/auth/v1/${path}`, {
    method: 'POST',
    headers: { apikey: stack.facts.publishable_key!, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`auth ${path}: ${response.status} ${text}`);
  return text === '' ? {} : JSON.parse(text);
}

async function call(
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Json }> {
  const response = await fetch(`${stack.facts.api_url}${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}
const as = (token: string) => ({ authorization: `Bearer ${token}` });

/** What arrives for an address and holds something that matches. */
async function mailed(to: string, pattern: RegExp): Promise<string> {
  let found: string | undefined;
  await expect
    .poll(
      async () => {
        const response = await fetch(`${stack.facts.mail_url}/api/messages?to=${encodeURIComponent(to)}`);
        const mails = (await response.json()) as { text: string; html: string }[];
        found = mails.map((mail) => pattern.exec(mail.text || mail.html)?.[1]).findLast(Boolean);
        return found;
      },
      { timeout: 15_000 },
    )
    .toBeTruthy();
  return found!;
}

/** As people do: the address, then the code out of the mail. */
async function signUp(email: string): Promise<string> {
  await auth('otp', { email, create_user: true });
  const token = await mailed(email, /\b(\d{6})\b/);
  return (await auth('verify', { type: 'email', email, token })).access_token;
}

describe('from an invitation to a claimed device', () => {
  let orgAdmin: string;
  let org: string;

  test('an invitation arrives within seconds, and its link makes a stranger an admin of the organisation', async () => {
    org = (await call('POST', '/orgs', { name: 'Harbour' }, as(admin))).body.id;
    const email = 'olga@example.com';
    const invited = await call('POST', `/orgs/${org}/invitations`, { email, role: 'org_admin' }, as(admin));
    expect(invited.status).toBe(201);
    const token = await mailed(email, /\/invite\?token=([\w-]+)/);
    expect((await call('POST', '/invitations/preview', { token })).body).toMatchObject({
      state: 'open',
      email,
      org: { name: 'Harbour' },
    });
    orgAdmin = await signUp(email);
    const accepted = await call('POST', '/invitations/accept', { token }, as(orgAdmin));
    expect(accepted.body).toMatchObject({ home: '/org', membership: { role: 'org_admin', org_id: org } });
  });

  test('a device they register is claimed by whoever scans it, and shows them its readings', async () => {
    const device = { serial_no: 'STACK-1', product_type: 'EC-CLIMATE-V1' };
    const registered = (await call('POST', '/devices/register', device, as(orgAdmin))).body;
    const code = new URL(registered.claim_url).searchParams.get('code')!;
    const person = await signUp('carl@example.com');
    const claimed = await call('POST', '/claims', { serial: 'STACK-1', code }, as(person));
    expect(claimed.body).toMatchObject({ place: 'portal', home: '/portal/devices/STACK-1' });
    await call('POST', '/devices/STACK-1/telemetry', { temp: 21.5 }, as(registered.mqtt_password));
    const seen = await call('GET', '/devices/STACK-1', undefined, as(person));
    expect(seen.body.shadow_reported).toMatchObject({ temp: 21.5 });
  });
});

test('nobody escapes the limit of their address by making up another', async () => {
  await windowWithRoom(900, 10);
  const statuses = [];
  for (let n = 0; n < 31; n++) {
    const guess = { serial: `STACK-GUESS-${n}`, code: 'wrong-code' };
    const made = { 'x-forwarded-for': `10.0.0.${n}`, 'x-ec-client-address': `10.0.0.${n}` };
    statuses.push((await call('POST', '/claims/preview', guess, made)).status);
  }
  expect(statuses).toEqual([...Array(30).fill(404), 429]);
});
