/** Files in one private bucket, over Storage's own HTTP with the service key. Who may have which file is decided
 *  before anybody comes here. */
import type { Env } from './env.ts';
import { AppError } from './errors.ts';

export interface UploadTicket {
  url: string;
  headers: Record<string, string>;
  expires_at: string;
}

export interface FileStore {
  /** An address that takes one PUT of this file, once. */
  uploadTo(path: string): Promise<UploadTicket>;
  /** An address that serves the file, with ranges, for so many seconds; `filename` makes browsers save it. */
  linkTo(path: string, seconds: number, filename?: string): Promise<string>;
  /** null when there is no such file. The caller reads or cancels it. */
  read(path: string): Promise<ReadableStream<Uint8Array> | null>;
  /** Also when there is none. */
  remove(path: string): Promise<void>;
}

const UPLOAD_LIFE_MS = 2 * 3_600_000;
/** A link is given to everybody who asks within so long; many devices ask for one file at once. */
const SHARED_MS = 30_000;

export function openBucket(
  { supabaseUrl, serviceKey }: Pick<Env, 'supabaseUrl' | 'serviceKey'>,
  bucket: string,
): FileStore {
  const base = `${supabaseUrl}/storage/v1`;
  const ask = async (method: string, path: string, body?: object): Promise<Response> => {
    if (serviceKey === null)
      throw new AppError('unavailable', 'Files are not set up here: SUPABASE_SERVICE_ROLE_KEY is missing.');
    const headers = { ...credentials(serviceKey), ...(body ? { 'content-type': 'application/json' } : {}) };
    const init = { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) };
    return fetch(`${base}${path}`, init).catch((cause: unknown) => {
      throw unavailable(cause);
    });
  };
  const shared = shareFor(SHARED_MS);
  const sign = async (path: string, seconds: number): Promise<string> => {
    const asked = await ask('POST', `/object/sign/${at(path)}`, { expiresIn: seconds });
    return `${base}${(await answer<{ signedURL: string }>(asked)).signedURL}`;
  };
  const at = (path: string): string => `${bucket}/${path.split('/').map(encodeURIComponent).join('/')}`;

  return {
    async uploadTo(path) {
      const { url } = await answer<{ url: string }>(await ask('POST', `/object/upload/sign/${at(path)}`, {}));
      const headers = { 'content-type': 'application/octet-stream' };
      return { url: `${base}${url}`, headers, expires_at: expiry(url) };
    },
    async linkTo(path, seconds, filename) {
      const url = await shared(`${seconds} ${path}`, () => sign(path, seconds));
      return filename === undefined ? url : `${url}&download=${encodeURIComponent(filename)}`;
    },
    async read(path) {
      const response = await ask('GET', `/object/authenticated/${at(path)}`);
      if (response.ok) return response.body ?? new Blob().stream();
      // Hosted says 400 and means 404.
      const text = await response.text();
      if (response.status === 404 || /not_?found/i.test(text)) return null;
      throw unavailable(new Error(`Storage answered ${response.status}: ${text.slice(0, 200)}`));
    },
    async remove(path) {
      const response = await ask('DELETE', `/object/${bucket}`, { prefixes: [path] });
      await answer(response);
    },
  };
}

/** One answer for all who ask for the same within `ms`; a failure is forgotten at once. */
function shareFor(ms: number): (key: string, make: () => Promise<string>) => Promise<string> {
  const made = new Map<string, { until: number; answer: Promise<string> }>();
  return (key, make) => {
    const now = Date.now();
    const known = made.get(key);
    if (known && known.until > now) return known.answer;
    for (const [old, { until }] of made) if (until <= now) made.delete(old);
    const answer = make();
    made.set(key, { until: now + ms, answer });
    answer.catch(() => made.delete(key));
    return answer;
  };
}

/** A key of the new kind is no token: the gateway makes one of it when it stands alone. */
function credentials(key: string): Record<string, string> {
  return key.startsWith('sb_') ? { apikey: key } : { apikey: key, authorization: `Bearer ${key}` };
}

async function answer<T>(response: Response): Promise<T> {
  const text = await response.text();
  if (!response.ok)
    throw unavailable(new Error(`Storage answered ${response.status}: ${text.slice(0, 200)}`));
  return JSON.parse(text) as T;
}

function unavailable(cause: unknown): AppError {
  return new AppError('unavailable', 'Storage does not answer; try again.', { retry_after: 5 }, { cause });
}

/** When the token in a signed address ends. */
function expiry(url: string): string {
  const payload = /[?&]token=[^.&]*\.([^.&]+)/.exec(url)?.[1] ?? '';
  try {
    const { exp } = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as { exp: number };
    return new Date(exp * 1000).toISOString();
  } catch {
    return new Date(Date.now() + UPLOAD_LIFE_MS).toISOString();
  }
}
