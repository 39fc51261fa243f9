const HERE = 'http://here.invalid';
// Going back to these after signing in would be a loop.
const NEVER = /^\/(sign-in|sign-out|session)(\/|$)/;

/**
 * Where to go after signing in. Only a path of this very site is accepted: `//evil`, `/\evil`, `https:…`,
 * `javascript:…` and anything with control characters fall back.
 */
export function safeNext(next: string | null | undefined, fallback = '/'): string {
  if (!next || !next.startsWith('/') || /[\\\p{Cc}]/u.test(next)) return fallback;
  let url: URL;
  try {
    url = new URL(next, HERE);
  } catch {
    return fallback;
  }
  const path = url.pathname + url.search + url.hash;
  if (url.origin !== HERE || path.startsWith('//') || NEVER.test(url.pathname)) return fallback;
  return path;
}
