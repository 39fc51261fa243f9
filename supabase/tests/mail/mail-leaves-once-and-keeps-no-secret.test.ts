import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openDatabase, type Database, type Session } from '../harness/database.ts';
import { invite } from '../harness/inviting.ts';
import { seedWorld, type World } from '../harness/world.ts';

interface Mail {
  id: string;
  to_address: string;
  template: string;
  data: Record<string, unknown>;
  attempts: number;
}

let db: Database;
let world: World;
let worker: Session;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
  worker = await db.connect('ec_worker');
});
afterAll(() => db.drop());
beforeEach(() => db.query('delete from ec.mail_outbox'));

let count = 0;
const send = (): ReturnType<typeof invite> =>
  invite(db, world.orgAdmin, {
    org_id: world.org.id,
    role: 'tenant',
    location_id: world.org.room,
    email: `person-${++count}@example.com`,
  });
const claimMail = (name = 'w1', session = worker): Promise<Mail[]> =>
  session.query<Mail & Record<string, unknown>>('select * from ec.claim_mail($1, 10)', [name]);
const fail = (id: string, name = 'w1', retry = true): Promise<unknown> =>
  worker.query('select ec.fail_mail($1, $2, $3, $4)', [id, name, 'the mail service said no', retry]);
const rowOf = (id: string): Promise<Record<string, unknown>> =>
  db.value('select to_jsonb(o) from ec.mail_outbox o where id = $1', [id]);
/** As if every mail were due now and every lease over. */
const age = (): Promise<unknown> =>
  db.query(`update ec.mail_outbox set next_attempt_at = now() - interval '1 second', claimed_until = null`);

test('an invitation’s mail carries the link and the org’s face, in the transaction that made it', async () => {
  const { url, invitation } = await send();
  const [mail] = await claimMail();
  expect(mail).toMatchObject({
    to_address: invitation.email,
    template: 'invitation',
    attempts: 1,
    data: {
      url,
      role: 'tenant',
      room: 'Lab',
      org: { name: 'acme', slug: 'acme', brand: {} },
      partner: null,
      email: invitation.email,
    },
  });
  expect(mail!.data['inviter']).toMatch(/^org-.*@example\.com$/);
});

test('one worker gets a mail at a time, another one after the lease', async () => {
  for (let n = 0; n < 6; n++) await send();
  const other = await db.connect('ec_worker');
  const [a, b] = await Promise.all([claimMail('w1'), claimMail('w2', other)]);
  expect(a.length + b.length).toBe(6);
  expect(new Set([...a, ...b].map(({ id }) => id)).size).toBe(6);
  expect(await claimMail('w3')).toEqual([]);
  await age();
  expect(await claimMail('w3')).toHaveLength(6);
});

test('what was sent is sent no more and its link is forgotten', async () => {
  await send();
  const [mail] = await claimMail();
  // Only whoever holds the lease says how it went.
  await worker.query('select ec.finish_mail($1, $2)', [mail!.id, 'w9']);
  expect(await rowOf(mail!.id)).toMatchObject({ sent_at: null });
  await worker.query('select ec.finish_mail($1, $2)', [mail!.id, 'w1']);
  expect((await rowOf(mail!.id))['data']).toEqual({});
  await age();
  expect(await claimMail()).toEqual([]);
});

test('a failure is tried again later and later, eight times, and then given up without the link', async () => {
  await send();
  const waits: number[] = [];
  let id = '';
  for (let n = 1; n <= 8; n++) {
    await age();
    const [mail] = await claimMail();
    expect(mail!.attempts).toBe(n);
    id = mail!.id;
    await fail(id);
    waits.push(
      Number(
        await db.value(
          `select extract(epoch from next_attempt_at - clock_timestamp()) from ec.mail_outbox where id = $1`,
          [id],
        ),
      ),
    );
    if (n < 8) expect(await claimMail()).toEqual([]);
  }
  expect(waits[0]).toBeGreaterThan(20);
  expect(waits[0]).toBeLessThan(40);
  expect(waits[6]).toBeGreaterThan(20 * 60);
  const row = await rowOf(id);
  expect(row).toMatchObject({ last_error: 'the mail service said no', attempts: 8 });
  expect(row['data']).toEqual({});
  await age();
  expect(await claimMail()).toEqual([]);
});

test('what can never be delivered is given up at once', async () => {
  await send();
  const [mail] = await claimMail();
  await fail(mail!.id, 'w1', false);
  const row = await rowOf(mail!.id);
  expect(row['failed_at']).toBeTruthy();
  expect(row['data']).toEqual({});
});

test('a link that was replaced or revoked before it was sent is not sent any more', async () => {
  const { invitation } = await send();
  await invite(db, world.orgAdmin, {
    org_id: world.org.id,
    role: 'tenant',
    location_id: world.org.room,
    email: invitation.email,
  });
  expect(await claimMail()).toHaveLength(1);
  await db.as(world.orgAdmin, (session) => session.query('select ec.revoke_invitation($1)', [invitation.id]));
  await age();
  expect(await claimMail()).toEqual([]);
});

test('the worker is woken once a transaction where it is set up, and by cron while mail waits', async () => {
  const calls = async (): Promise<Record<string, unknown>[]> =>
    db.query(
      `select url, headers ->> 'Authorization' as auth, convert_from(body, 'UTF8')::jsonb as body from net.http_request_queue`,
    );
  const kick = (): Promise<number> => db.value('select ec.kick_mail(now())');
  expect(await kick()).toBe(0);
  await send();
  expect(await calls()).toEqual([]);
  await db.query(
    `select vault.create_secret('http://worker.local/run', 'ec_worker_url'), vault.create_secret('s3cret', 'ec_worker_secret')`,
  );
  await db.as(world.orgAdmin, async (session) => {
    for (const email of ['x@example.com', 'y@example.com'])
      await session.query('select ec.create_invitation($1, sha256($2), $3)', [
        { org_id: world.org.id, role: 'viewer', email },
        Buffer.from(email),
        'https://example.com',
      ]);
  });
  const call = {
    url: 'http://worker.local/run',
    auth: 'Bearer s3cret',
    body: { jobs: ['mail'] },
  };
  expect(await calls()).toEqual([call]);
  expect(await kick()).toBe(3);
  expect(await calls()).toEqual([call, call]);
});

test('nobody but the worker touches the outbox', async () => {
  for (const actor of [world.admin, 'nobody'] as const)
    await expect(
      db.as(actor, (session) => session.query(`select * from ec.claim_mail('me')`)),
    ).rejects.toMatchObject({ code: '42501' });
  await expect(worker.query('select * from ec.mail_outbox')).rejects.toMatchObject({ code: '42501' });
});
