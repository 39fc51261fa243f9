import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { OutboxMail } from './outbox.ts';
import { MailRefused, type Mail } from './resend.ts';
import { sweepMail } from './sweep.ts';

const SECRET = 'https://app.example.com/invite?token=top-secret';
const face = { name: 'Acme', slug: 'acme', brand: {} };
const mail = (id: number, more: Partial<OutboxMail> = {}): OutboxMail => ({
  id,
  to_address: 'ann@example.com',
  template: 'invitation',
  attempts: 1,
  data: {
    url: SECRET,
    email: 'ann@example.com',
    role: 'viewer',
    org: face,
    partner: null,
    room: null,
    inviter: null,
    expires_at: '2026-11-30T10:00:00.000Z',
  },
  ...more,
});

let finished: number[];
let failed: [number, string, boolean][];
let sent: Mail[];
let logged: string[];

const outboxOf = (...batches: OutboxMail[][]) => ({
  claim: async () => batches.shift() ?? [],
  finish: async (id: number) => void finished.push(id),
  fail: async (id: number, error: string, retry: boolean) => void failed.push([id, error, retry]),
});
const send = async (one: Mail) => void sent.push(one);
const from = 'EdgeConductor <no-reply@example.com>';

beforeEach(() => {
  [finished, failed, sent, logged] = [[], [], [], []];
  for (const method of ['log', 'error'] as const)
    vi.spyOn(console, method).mockImplementation((line: string) => void logged.push(line));
});

describe('a sweep', () => {
  it('sends batch after batch until nothing waits', async () => {
    expect(await sweepMail(outboxOf([mail(1), mail(2)], [mail(3)]), send, from)).toEqual({
      sent: 3,
      failed: 0,
    });
    expect(finished).toEqual([1, 2, 3]);
    expect(sent[0]).toMatchObject({ from: '"Acme" <no-reply@example.com>', to: 'ann@example.com' });
  });

  it('gives every attempt at one mail the same key, and other mails another', async () => {
    await sweepMail(outboxOf([mail(1)], [mail(1, { attempts: 2 }), mail(2)]), send, from);
    const keys = sent.map((one) => one.idempotencyKey);
    expect(keys[0]).toBe(keys[1]);
    expect(keys[2]).not.toBe(keys[0]);
  });

  it('goes on after a mail that failed, and says whether another attempt makes sense', async () => {
    const refuse = async (one: Mail) => {
      if (one.to === 'down@example.com') throw new MailRefused('503', true);
      if (one.to === 'bad') throw new MailRefused('422 validation_error', false);
      sent.push(one);
    };
    const batch = [
      mail(1, { to_address: 'down@example.com' }),
      mail(2, { to_address: 'bad' }),
      mail(3, { template: 'nothing' }),
      mail(4),
    ];
    expect(await sweepMail(outboxOf(batch), refuse, from)).toEqual({ sent: 1, failed: 3 });
    expect(failed.map(([id, , retry]) => [id, retry])).toEqual([
      [1, true],
      [2, false],
      [3, false],
    ]);
    expect(finished).toEqual([4]);
  });

  it('logs neither who got a mail nor the link in it', async () => {
    await sweepMail(outboxOf([mail(1), mail(2, { template: 'nothing' })]), send, from);
    expect(logged).toHaveLength(2);
    expect(logged.join()).not.toMatch(/top-secret|ann@example/);
  });
});
