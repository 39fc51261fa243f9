/** A route is data: zod in, zod out, and who may call it. The handler is a few lines that call a service. */
import type { ApiScope, Role } from '@edgeconductor/sdk/contract';
import type { z } from 'zod';
import type { Actor } from '../../_shared/auth.ts';
import type { Db } from '../../_shared/db.ts';
import type { AppError } from '../../_shared/errors.ts';
import type { Surroundings } from '../surroundings.ts';

/** Which credentials may call; what is not named is denied. Within it, row level security decides. */
export interface Who {
  roles?: readonly Role[];
  /** every signed-in person, with or without a role */
  anyone?: true;
  /** also without any credential */
  anonymous?: true;
  /** with `anonymous`: what the path names is all that counts, a credential that comes along is not even read */
  unread?: true;
  /** the scopes an API key needs; an empty list = every key */
  api_key?: readonly ApiScope[];
  provisioning_key?: true;
  /** the secret of the device that the path names */
  device?: true;
}

/** Whole-org readers; customers and tenants see single things only. */
export const STAFF = ['admin', 'partner', 'org_admin', 'operator', 'viewer'] as const satisfies Role[];
export const STAFF_AND_CUSTOMER = [...STAFF, 'customer'] as const satisfies Role[];
export const EVERYBODY = [...STAFF_AND_CUSTOMER, 'tenant'] as const satisfies Role[];

type Method = 'get' | 'post' | 'patch' | 'delete';
type Schema = z.ZodType;
type Out<S> = S extends Schema ? z.output<S> : undefined;

export interface Call<P, Q, B> {
  db: Db;
  actor: Actor;
  params: P;
  query: Q;
  body: B;
  request: { id: string; url: URL; header(name: string): string | undefined };
  around: Surroundings;
}

/** A device's request on its fast way: nothing was looked up yet. */
export interface ExpressCall<P> {
  params: P;
  secret: string;
  body(): Promise<Uint8Array>;
  around: Surroundings;
}

/** An answer that needs another status or headers than the route's default. */
export class Reply<T> {
  readonly status: number;
  readonly body: T;
  readonly headers: Record<string, string>;
  constructor(status: number, body: T, headers: Record<string, string> = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** How often a route may be asked, besides the limit of the credential. */
export interface Limits<P, B> {
  /** For one network address; routes with the same name share the count. */
  address: AddressLimit;
  /** Names the secret that a request tries, so that guesses count wherever they come from. */
  secret?: (input: { params: P; body: B }) => string;
  /** Names the account that a request tries; counted for each address, so that nobody can lock anybody out. */
  account?: (input: { params: P; body: B }) => Promise<string>;
  /** A right code costs nothing: only answers that say `not_found` count. */
  onlyMisses?: true;
  /** For many requests: turns come in lots, as those of a plan, and not one by one. */
  leased?: true;
  /** The other way round: takes nothing, and what it names comes back when the request succeeds. */
  givesBack?: true;
}

export interface AddressLimit {
  name: string;
  limit: number;
  windowS: number;
}

export interface RouteConfig<P extends Schema, Q extends Schema, B extends Schema, R extends Schema> {
  method: Method;
  path: string;
  who: Who;
  tag: string;
  summary: string;
  params?: P;
  query?: Q;
  body?: B;
  /** status → body; null = no body. The first is what a plain return value is sent with. */
  replies: Record<number, R | null>;
  /** `body` is then only documentation, and the handler gets the bytes. */
  rawBody?: true;
  /** Of the body, in bytes, when it may have more than 256 KiB. */
  maxBytes?: number;
  limits?: Limits<Out<P>, Out<B>>;
  /** Takes the secret out of an answer before it is kept for a repeated Idempotency-Key. */
  withoutSecret?: (body: z.output<R>) => z.output<R>;
  /** Device requests without Idempotency-Key go here, outside any transaction of their own. */
  express?: (call: ExpressCall<Out<P>>) => Promise<Reply<z.output<R>>>;
  /** An AppError that is returned, not thrown, keeps what the transaction wrote. */
  handle(call: Call<Out<P>, Out<Q>, Out<B>>): Promise<z.output<R> | Reply<z.output<R>> | AppError | void>;
}

/** What the binder works with; the types of the parts are gone. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- variance: a list of routes of all shapes
export type Route = RouteConfig<any, any, any, any>;

export function route<
  P extends Schema = z.ZodUndefined,
  Q extends Schema = z.ZodUndefined,
  B extends Schema = z.ZodUndefined,
  R extends Schema = z.ZodUndefined,
>(config: RouteConfig<P, Q, B, R>): Route {
  return config;
}
