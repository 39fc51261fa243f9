/**
 * Where lite's Storage differs from the hosted one in a way supabase-js notices. Each mend says what it mends;
 * drop it when lite does it by itself.
 */

interface SignedEntry {
  path?: string;
  error?: string | null;
  signedURL?: string | null;
  signedUrl?: string | null;
  url?: string;
  token?: string;
}

const STORAGE = '/storage/v1';
const relative = (url: string): string => (url.startsWith(STORAGE) ? url.slice(STORAGE.length) : url);

/** supabase-js sends files as multipart with an unnamed field; lite wants the bytes. */
export async function mendUpload(request: Request): Promise<Request> {
  if (!request.headers.get('content-type')?.startsWith('multipart/form-data')) return request;
  const form = await request.formData();
  const file = [...form.values()].find((value) => typeof value !== 'string');
  if (!file) return request;
  const bytes = await file.arrayBuffer();
  const headers = new Headers(request.headers);
  headers.set('content-type', file.type || 'application/octet-stream');
  headers.set('content-length', String(bytes.byteLength));
  const cacheControl = form.get('cacheControl');
  if (typeof cacheControl === 'string') headers.set('cache-control', `max-age=${cacheControl}`);
  const metadata = form.get('metadata');
  if (typeof metadata === 'string') headers.set('x-metadata', btoa(metadata));
  return new Request(request.url, { method: request.method, headers, body: bytes });
}

/** Signed URLs: hosted answers `signedURL` and `url` relative to /storage/v1; lite gives an absolute `signedUrl`. */
export async function mendSigned(path: string, response: Response): Promise<Response> {
  if (!response.ok) return response;
  const body = (await response.json()) as SignedEntry | SignedEntry[];
  const isUpload = path.startsWith(`${STORAGE}/object/upload/sign/`);
  const mended = Array.isArray(body)
    ? body.map(mendEntry)
    : isUpload
      ? mendUploadEntry(body)
      : mendEntry(body);
  const headers = new Headers(response.headers);
  headers.delete('content-length');
  return Response.json(mended, { status: response.status, headers });
}

function mendEntry(entry: SignedEntry): SignedEntry {
  const url = entry.signedURL ?? entry.signedUrl ?? entry.url;
  const { signedUrl: _signedUrl, url: _url, ...rest } = entry;
  return { ...rest, signedURL: url ? relative(url) : null };
}

function mendUploadEntry(entry: SignedEntry): SignedEntry {
  const url = relative(entry.url ?? entry.signedUrl ?? entry.signedURL ?? '');
  const token = entry.token ?? new URL(url, 'http://storage').searchParams.get('token') ?? '';
  return { ...entry, url, token };
}

/** A signed address with `download` makes browsers save the file, under the name it gives. */
export function mendDownload(request: Request, response: Response): Response {
  const name = new URL(request.url).searchParams.get('download');
  if (name === null || !response.ok) return response;
  const headers = new Headers(response.headers);
  const named =
    name === '' ? '' : `; filename=${encodeURIComponent(name)}; filename*=UTF-8''${encodeURIComponent(name)}`;
  headers.set('content-disposition', `attachment${named};`);
  return new Response(response.body, { status: response.status, headers });
}

/** Range: the adapter has cut the body already; only the status is lite's. */
export function mendRange(response: Response): Response {
  const range = response.headers.get('content-range');
  if (range === null) return response;
  if (!range.startsWith('bytes */'))
    return new Response(response.body, { status: 206, headers: response.headers });
  const headers = new Headers(response.headers);
  headers.delete('content-length');
  return new Response(null, { status: 416, headers });
}
