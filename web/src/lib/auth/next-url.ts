const HERE = 'http://here.invalid';
// Going back to these after signing in would be a loop.
const NEVER = /^\/(sign-in|sign-out|session)(\/|$)/;
const TRICKS = /[\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const MAX_LENGTH = 2048;

/**
 * Where to go after signing in. Only a path of this very site is accepted: `//evil`, `/\evil`, `https:…`,
 * `javascript:…`, control and invisible characters fall back, and so does a path that becomes one of these when
 * somebody on the way decodes it.
 */
export function safeNext(next: string | null | undefined, fallback = '/'): string {
  if (!next || next.length > MAX_LENGTH || !next.startsWith('/') || TRICKS.test(next)) return fallback;
  let url: URL;
  try {
    url = new URL(next, HERE);
  } catch {
    return fallback;
  }
  const plain = decoded(url.pathname);
  if (url.origin !== HERE || plain === null || NEVER.test(plain)) return fallback;
  return url.pathname + url.search + url.hash;
}

/** The path decoded as often as it can be; null when it turns into something else on the way. */
function decoded(path: string): string | null {
  if (path.normalize('NFKC').startsWith('//') || TRICKS.test(path)) return null;
  try {
    const once = decodeURIComponent(path);
    return once === path ? path : decoded(once);
  } catch {
    return null;
  }
}
