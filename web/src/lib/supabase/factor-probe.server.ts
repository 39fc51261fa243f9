import { SUPABASE_URL } from '$app/env/private';
import { PUBLIC_SUPABASE_PUBLISHABLE_KEY } from '$app/env/public';

const PROBED_FOR_MS = 600_000;

let probe: { at: number; offered: Promise<boolean> } | undefined;

/** Whether the auth server of this installation has second factors at all. Only asks; nothing is enrolled. */
export function offersSecondFactor(accessToken: string): Promise<boolean> {
  if (!probe || Date.now() - probe.at > PROBED_FOR_MS)
    probe = { at: Date.now(), offered: askForFactors(accessToken) };
  return probe.offered;
}

/** An auth server that knows factors refuses this kind of one; one that does not says "not found". */
async function askForFactors(accessToken: string): Promise<boolean> {
  try {
    const answer = await fetch(`${SUPABASE_URL}/auth/v1/factors`, {
      method: 'POST',
      headers: {
        apikey: PUBLIC_SUPABASE_PUBLISHABLE_KEY,
        authorization: `Bearer ${accessToken}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ factor_type: 'none' }),
      signal: AbortSignal.timeout(3000),
    });
    await answer.body?.cancel();
    return answer.status === 400 || answer.status === 422;
  } catch {
    probe = undefined;
    return false;
  }
}
