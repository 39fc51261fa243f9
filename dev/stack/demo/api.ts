/** What the demo needs of the public API, spoken like any other client speaks it. */
export interface ApiAddress {
  api_url: string;
  supabase_url: string;
  publishable_key: string;
}

export class ApiFailure extends Error {
  readonly status: number;
  readonly code: string | undefined;

  constructor(status: number, code: string | undefined, message: string) {
    super(message);
    this.name = 'ApiFailure';
    this.status = status;
    this.code = code;
  }
}

export class ApiSession {
  readonly #base: string;
  readonly #token: string;

  private constructor(base: string, token: string) {
    this.#base = base;
    this.#token = token;
  }

  /** Signs in with a password, the way the web app does. Throws an ApiFailure. */
  static async signIn(address: ApiAddress, email: string, password: string): Promise<ApiSession> {
    const response = await fetch(`${address.supabase_url}/auth/v1/token?grant_type=password`, {
      method: 'POST',
      headers: { apikey: address.publishable_key, 'content-type': 'application/json' },
      body: JSON.stringify({ email, password }),
    });
    const reply = await read(response, `signing in as ${email}`);
    return new ApiSession(address.api_url, (reply as { access_token: string }).access_token);
  }

  get token(): string {
    return this.#token;
  }

  async call(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.#base}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return read(response, `${method} ${path}`);
  }
}

async function read(response: Response, what: string): Promise<unknown> {
  const text = await response.text();
  if (response.ok) return text === '' ? undefined : JSON.parse(text);
  const problem = parse(text) as { code?: string; detail?: string; title?: string } | undefined;
  const why = problem?.detail ?? problem?.title ?? text.slice(0, 200);
  throw new ApiFailure(response.status, problem?.code, `${what}: ${response.status} ${why}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
