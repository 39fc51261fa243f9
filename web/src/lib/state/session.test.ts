import { describe, expect, it, vi } from 'vitest';
import { AccessToken } from './access-token.ts';
import { patientFetch } from './patient-fetch.ts';
import { SessionGate } from './session-gate.svelte.ts';

const soon = () => Math.floor(Date.now() / 1000) + 3600;
const ok = () => new Response('{}', { status: 200 });
const refused = () => new Response('{}', { status: 401 });

function world(answers: (bearer: string | null) => Response) {
  const gate = new SessionGate();
  let session: string | null = 'first';
  const token = new AccessToken(async () => {
    if (session === null) gate.end();
    return session === null ? null : { access_token: session, expires_at: soon() };
  });
  const sent: (string | null)[] = [];
  const fetch = vi.fn(async (_: RequestInfo | URL, init?: RequestInit) => {
    const bearer = new Headers(init?.headers).get('authorization');
    sent.push(bearer);
    return answers(bearer);
  });
  const call = patientFetch({ token, gate, fetch });
  const request = async (method: string) => {
    const bearer = await token.get();
    return call('/api/x', { method, headers: bearer ? { authorization: `Bearer ${bearer}` } : {} });
  };
  return { gate, sent, request, setSession: (value: string | null) => (session = value) };
}

describe('a session that ended while a page was open', () => {
  it('is renewed without a word when only the token was old', async () => {
    const { request, sent, setSession, gate } = world((bearer) =>
      bearer === 'Bearer second' ? ok() : refused(),
    );
    const first = request('GET');
    setSession('second');
    expect((await first).status).toBe(200);
    expect(sent).toEqual(['Bearer first', 'Bearer second']);
    expect(gate.ended).toBe(false);
  });

  it('keeps what somebody wanted to save, and saves it once they are back', async () => {
    const { request, sent, setSession, gate } = world((bearer) =>
      bearer === 'Bearer second' ? ok() : refused(),
    );
    setSession(null);
    const saving = request('PATCH');
    await vi.waitFor(() => expect(gate.ended).toBe(true));
    setSession('second');
    gate.restore();
    expect((await saving).status).toBe(200);
    expect(sent).toEqual(['Bearer second']);
  });

  it('fails what only reads at once, so that nothing piles up behind the dialog', async () => {
    const { request, setSession, gate, sent } = world(ok);
    setSession(null);
    expect((await request('GET')).status).toBe(401);
    expect(gate.ended).toBe(true);
    expect(sent).toEqual([]);
  });

  it('asks for a new token once, however many calls were refused', async () => {
    const ask = vi.fn(async (fresh: boolean) => ({
      access_token: fresh ? 'new' : 'old',
      expires_at: soon(),
    }));
    const token = new AccessToken(ask);
    await token.get();
    expect(await Promise.all([token.renew('old'), token.renew('old')])).toEqual(['new', 'new']);
    expect(await token.renew('old')).toBe('new');
    expect(ask.mock.calls).toEqual([[false], [true]]);
  });
});
