/** One HTTP request: credential, timeout, retries, errors. Resources know paths and nothing of this. */
import {
  AbortedError,
  APIError,
  ConnectionError,
  EdgeConductorError,
  errorFrom,
  TimeoutError,
} from './errors.ts';

/** May be given with every call. */
export interface RequestOptions {
  signal?: AbortSignal;
  /** Milliseconds for one attempt. */
  timeout?: number;
  maxRetries?: number;
  /** POST only; one is made up when absent, so that a retry never does the work twice. */
  idempotencyKey?: string;
}

export interface ClientOptions {
  /** `ec_live_…` API key, `ec_prov_…` provisioning key or `ec_dev_…` device secret. */
  apiKey?: string;
  /** A person's access token, or a function that gives the current one. */
  accessToken?: string | (() => string | null | Promise<string | null>);
  /** Of the API, e.g. `https://example.com/api`. */
  baseUrl: string;
  /** Sent with every request. */
  headers?: Record<string, string>;
  fetch?: typeof fetch;
  /** Milliseconds for one attempt; 30,000 by default. */
  timeout?: number;
  /** How often a failed attempt is repeated; 2 by default. */
  maxRetries?: number;
}

export type Query = Record<string, string | number | boolean | null | undefined>;

export interface RequestInput {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  query?: Query;
  body?: unknown;
  /** Of this request alone. */
  headers?: Record<string, string>;
  options?: RequestOptions | undefined;
}

export interface Result<T> {
  data: T;
  status: number;
  headers: Headers;
}

const RETRY_STATUS = new Set([408, 429, 500, 502, 503, 504]);
const MAX_WAIT_S = 60;

export class Transport {
  readonly #options: ClientOptions;
  readonly #fetch: typeof fetch;
  readonly #baseUrl: string;

  constructor(options: ClientOptions) {
    if (!options.baseUrl) throw new EdgeConductorError('baseUrl is missing: the address of the API');
    this.#options = options;
    this.#baseUrl = options.baseUrl.replace(/\/+$/, '');
    // A bare reference to the browser's fetch throws "Illegal invocation".
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
  }

  /** Parsed JSON; undefined for answers without a body. */
  async request<T>(input: RequestInput): Promise<Result<T>> {
    const { response, text } = await this.#send(input);
    const data = (text === '' ? undefined : JSON.parse(text)) as T;
    return { data, status: response.status, headers: response.headers };
  }

  /** For CSV. */
  async requestText(input: RequestInput): Promise<string> {
    return (await this.#send(input)).text;
  }

  /**
   * Bytes straight to a signed address of the store, which takes them once: no credential of ours goes there. Repeated
   * when the connection breaks; that they are there already means that only the answer was lost.
   */
  async put(
    url: string,
    headers: Record<string, string>,
    body: Blob | Uint8Array<ArrayBuffer>,
    options: RequestOptions = {},
  ): Promise<void> {
    const { signal } = options;
    const retries = options.maxRetries ?? this.#options.maxRetries ?? 2;
    const init = { method: 'PUT', headers, body, ...(signal ? { signal } : {}) };
    for (let attempt = 0; ; attempt++) {
      try {
        const response = await this.#fetch(url, init);
        const text = await response.text();
        if (response.ok || /already exists|duplicate/i.test(text)) return;
        const error = errorFrom(response.status, response.headers, parseOrNull(text));
        if (attempt >= retries || !mayRetry(error)) throw error;
        await pause(waitMs(error, attempt), signal);
      } catch (error) {
        if (error instanceof EdgeConductorError) throw error;
        if (signal?.aborted) throw new AbortedError('The request was aborted', { cause: error });
        const broken = new ConnectionError('The store cannot be reached', { cause: error });
        if (attempt >= retries) throw broken;
        await pause(waitMs(broken, attempt), signal);
      }
    }
  }

  async #send(input: RequestInput): Promise<{ response: Response; text: string }> {
    const retries = input.options?.maxRetries ?? this.#options.maxRetries ?? 2;
    const idempotencyKey =
      input.method === 'POST' ? (input.options?.idempotencyKey ?? crypto.randomUUID()) : undefined;
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.#attempt(input, idempotencyKey).catch((error: unknown) => error as Error);
      if (!(outcome instanceof Error)) return outcome;
      if (attempt >= retries || !mayRetry(outcome)) throw outcome;
      await pause(waitMs(outcome, attempt), input.options?.signal);
    }
  }

  async #attempt(
    input: RequestInput,
    idempotencyKey?: string,
  ): Promise<{ response: Response; text: string }> {
    const timeoutMs = input.options?.timeout ?? this.#options.timeout ?? 30_000;
    const timeout = AbortSignal.timeout(timeoutMs);
    const own = input.options?.signal;
    const headers: Record<string, string> = {
      ...this.#options.headers,
      ...input.headers,
      accept: 'application/json',
      ...(await this.#credential()),
    };
    if (input.body !== undefined) headers['content-type'] = 'application/json';
    if (idempotencyKey !== undefined) headers['idempotency-key'] = idempotencyKey;
    try {
      const response = await this.#fetch(this.#url(input), {
        method: input.method,
        headers,
        signal: own ? AbortSignal.any([own, timeout]) : timeout,
        ...(input.body === undefined ? {} : { body: JSON.stringify(input.body) }),
      });
      const text = await response.text();
      if (!response.ok) throw errorFrom(response.status, response.headers, parseOrNull(text));
      return { response, text };
    } catch (error) {
      if (error instanceof EdgeConductorError) throw error;
      if (own?.aborted) throw new AbortedError('The request was aborted', { cause: error });
      if (timeout.aborted) throw new TimeoutError(`No answer within ${timeoutMs} ms`, { cause: error });
      throw new ConnectionError(`The API at ${this.#baseUrl} cannot be reached`, { cause: error });
    }
  }

  async #credential(): Promise<Record<string, string>> {
    const { apiKey, accessToken } = this.#options;
    const token = apiKey ?? (typeof accessToken === 'function' ? await accessToken() : accessToken);
    return token ? { authorization: `Bearer ${token}` } : {};
  }

  #url({ path, query }: RequestInput): string {
    const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null);
    const search = new URLSearchParams(pairs.map(([key, value]) => [key, String(value)]));
    return `${this.#baseUrl}${path}${pairs.length > 0 ? `?${search}` : ''}`;
  }
}

/** Encodes the inserted parts: path`/devices/${serial}`. Throws for what would leave its place in the path. */
export function path(strings: TemplateStringsArray, ...parts: string[]): string {
  return strings.reduce((all, text, i) => {
    const part = parts[i - 1] as string;
    if (part === '' || part === '.' || part === '..')
      throw new EdgeConductorError(`"${part}" cannot be part of a path`);
    return all + encodeURIComponent(part) + text;
  });
}

function mayRetry(error: Error): boolean {
  if (error instanceof APIError) {
    return RETRY_STATUS.has(error.status) && (error.retryAfter ?? 0) <= MAX_WAIT_S;
  }
  return error instanceof ConnectionError;
}

/** What the server asked for, else 0.5 s doubling to 8 s, with half of it left to chance so that a fleet spreads. */
function waitMs(error: Error, attempt: number): number {
  const asked = error instanceof APIError ? error.retryAfter : null;
  const base = asked === null ? Math.min(8000, 500 * 2 ** attempt) : asked * 1000;
  const jitter = Math.random() / 2;
  return asked === null ? base * (1 - jitter) : base + 250 * jitter;
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(new AbortedError('The request was aborted'));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
