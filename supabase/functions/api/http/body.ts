/** Request bodies, read as a stream so that a liar about Content-Length cannot fill the memory. */
import { AppError } from '../../_shared/errors.ts';

export const MAX_JSON_BYTES = 256 * 1024;

/** Throws `too_large` as soon as more than `max` bytes arrived. */
export async function readBytes(request: Request, max: number): Promise<Uint8Array> {
  const tooLarge = () =>
    new AppError('too_large', `The body may have at most ${max} bytes.`, { max_bytes: max });
  const declared = Number(request.headers.get('content-length') ?? 0);
  if (declared > max) throw tooLarge();
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.length;
    if (size > max) throw tooLarge();
    chunks.push(chunk);
  }
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : join(chunks, size);
}

/** Any content type is taken as JSON: modems and small libraries often send none. Throws `invalid_request`. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    const message = bytes.length === 0 ? 'A JSON body is needed.' : 'The body is not valid JSON.';
    throw new AppError('invalid_request', message, {
      issues: [{ path: [], code: 'not_json', message: error instanceof Error ? error.message : message }],
    });
  }
}

function join(chunks: Uint8Array[], size: number): Uint8Array {
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
