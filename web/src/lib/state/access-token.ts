interface TokenReply {
  access_token: string;
  /** Epoch seconds. */
  expires_at: number;
}

const RENEW_BEFORE_MS = 60_000;

/** The browser's short-lived access token. The server keeps the session and refreshes it; this only asks. */
export class AccessToken {
  #current: TokenReply | null = null;
  #asking: Promise<TokenReply | null> | null = null;
  #ask: (fresh: boolean) => Promise<TokenReply | null>;

  /**
   * `ask` answers null when nobody is signed in any more. `fresh`: the present token was refused, so the session has
   * to be looked up, not only the clock.
   */
  constructor(ask: (fresh: boolean) => Promise<TokenReply | null>) {
    this.#ask = ask;
  }

  /** A token that lives for another minute at least; null when signed out. */
  get = async (): Promise<string | null> => {
    if (this.#current && this.#current.expires_at * 1000 - Date.now() > RENEW_BEFORE_MS)
      return this.#current.access_token;
    return this.#fetch(false);
  };

  /** Another token than the one that was refused; null when the session is over. */
  renew = async (refused: string): Promise<string | null> => {
    if (this.#current && this.#current.access_token !== refused) return this.get();
    this.#current = null;
    return this.#fetch(true);
  };

  async #fetch(fresh: boolean): Promise<string | null> {
    this.#asking ??= this.#ask(fresh).finally(() => (this.#asking = null));
    this.#current = await this.#asking;
    return this.#current?.access_token ?? null;
  }
}
