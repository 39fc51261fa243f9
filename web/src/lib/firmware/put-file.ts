/** How far a file is on its way. Bytes. */
export interface Sent {
  loaded: number;
  total: number;
}

export class UploadError extends Error {
  override name = 'UploadError';
}

/**
 * Sends a file straight to the store, telling how far it is; only XMLHttpRequest does that in every browser.
 *
 * @throws UploadError when it did not arrive, with words for the screen · AbortError when `signal` ended it
 */
export function putFile(
  to: { url: string; method: string; headers: Readonly<Record<string, string>> },
  file: Blob,
  options: { onprogress: (sent: Sent) => void; signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(to.method, to.url);
    for (const [name, value] of Object.entries(to.headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => options.onprogress({ loaded, total: file.size });
    request.onload = () => {
      // 409: it is there already, an earlier answer was lost.
      if ((request.status >= 200 && request.status < 300) || request.status === 409) resolve();
      else reject(new UploadError(refusal(request.status)));
    };
    request.onerror = () => reject(new UploadError('The connection broke before everything had arrived.'));
    request.onabort = () => reject(new DOMException('The upload was cancelled.', 'AbortError'));
    options.signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(file);
  });
}

function refusal(status: number): string {
  if (status === 413) return 'The store refused the file: it is too large.';
  return `The store refused the file (${status}).`;
}
