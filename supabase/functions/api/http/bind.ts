/** Makes a request handler of a route: credential → input → limits → transaction as the actor → answer. */
import type { Context } from 'hono';
import { asActor } from '../../_shared/db.ts';
import { claimsOf, readCredential, readStanding, standingQuery } from '../../_shared/auth.ts';
import type { Actor } from '../../_shared/auth.ts';
import { AppError, toAppError } from '../../_shared/errors.ts';
import type { Surroundings } from '../surroundings.ts';
import { admit, checkStanding } from './admit.ts';
import { MAX_JSON_BYTES, parseJson, readBytes } from './body.ts';
import { clientAddress } from './client-address.ts';
import { findReplay, keepReply, readKey } from './idempotency.ts';
import { turnsOf } from './limits.ts';
import { Reply } from './route.ts';
import type { Route } from './route.ts';
import { validate } from '../../_shared/validate.ts';
import { readQuery } from './query.ts';

/** `Reply` of one request; everything that goes wrong is thrown and answered in one place (app.ts). */
export async function callRoute(
  route: Route,
  around: Surroundings,
  c: Context,
  requestId: string,
): Promise<Reply<unknown>> {
  const header = (name: string): string | undefined => c.req.header(name);
  const given = route.who.unread ? undefined : header('authorization');
  const credential = given === undefined && route.who.anonymous ? null : readCredential(given);
  // A key belongs to somebody: without a credential there is nobody to keep the answer for.
  const key = route.method === 'post' && credential ? readKey(header('idempotency-key')) : null;
  const url = new URL(c.req.url);
  const rawParams = c.req.param() as Record<string, string>;
  const maxBytes = route.maxBytes ?? MAX_JSON_BYTES;

  if (route.express && credential?.kind === 'device' && key === null) {
    const params = readParams(route, rawParams);
    return route.express({
      params,
      secret: credential.secret,
      body: () => readBytes(c.req.raw, maxBytes),
      around,
    });
  }

  const actor: Actor = credential
    ? await admit(around, credential, route.who, rawParams['serial'])
    : { kind: 'anonymous' };
  const address = clientAddress(header, peerOf(c), around.env);
  const params = readParams(route, rawParams);
  const query = route.query ? validate(route.query, readQuery(url), 'query') : undefined;
  const bytes = route.body || route.rawBody ? await readBytes(c.req.raw, maxBytes) : null;
  const body = bytes && (route.rawBody ? bytes : validate(route.body, parseJson(bytes), 'body'));
  const request = { id: requestId, url: publicUrl(around, url), header };

  const work = (): Promise<Reply<unknown> | AppError> =>
    asActor(
      around.sql,
      { claims: claimsOf(actor), requestId, address },
      standingQuery(actor),
      async (db, rows) => {
        await checkStanding(around, actor, readStanding(rows), route.who);
        const fingerprint =
          key === null ? '' : `${route.method} ${url.pathname}${url.search}\n${latin1(bytes)}`;
        const replay = key === null ? null : await findReplay(db, key, fingerprint);
        if (replay) return replay;
        const result: unknown = await route.handle({ db, actor, params, query, body, request, around });
        if (result instanceof AppError) return result;
        const reply = result instanceof Reply ? result : new Reply(defaultStatus(route), result);
        if (key !== null) {
          const kept: unknown = route.withoutSecret ? route.withoutSecret(reply.body) : reply.body;
          await keepReply(db, key, reply.status, kept);
        }
        return reply;
      },
    );
  const outcome = await withinLimits(route, around, { params, body, address }, work);
  if (outcome instanceof AppError) throw outcome;
  return outcome;
}

/** Turns are taken before the work and outside its transaction: a guess counts although everything it did is undone. */
async function withinLimits(
  route: Route,
  around: Surroundings,
  input: { params: unknown; body: unknown; address: string | null },
  work: () => Promise<Reply<unknown> | AppError>,
): Promise<Reply<unknown> | AppError> {
  const turns = await turnsOf(route.limits, around, input);
  if (route.limits?.leased) for (const turn of turns) await around.limiter.take(turn);
  else if (!route.limits?.givesBack) await around.limiter.takeExactly(turns);
  const outcome = await work().catch(toAppError);
  const missed = outcome instanceof AppError && outcome.code === 'not_found';
  const returned = route.limits?.givesBack
    ? !(outcome instanceof AppError)
    : route.limits?.onlyMisses && !missed;
  if (returned) await around.limiter.giveBack(turns);
  return outcome;
}

/** What cannot be a serial or an id cannot exist either. */
function readParams(route: Route, raw: Record<string, string>): unknown {
  if (!route.params) return undefined;
  const result = route.params.safeParse(raw);
  if (!result.success) throw new AppError('not_found', 'There is no such thing, or you may not see it.');
  return result.data;
}

function defaultStatus(route: Route): number {
  return Number(Object.keys(route.replies)[0]);
}

/** The other end of the socket, as index.ts passes it on. */
function peerOf(c: Context): string | null {
  return (c.env as { peer?: string } | undefined)?.peer ?? null;
}

/** The address callers know, for links; the function itself stands behind gateways. */
function publicUrl(around: Surroundings, url: URL): URL {
  return new URL(`${around.env.apiUrl}${url.pathname.replace(/^\/api/, '')}${url.search}`);
}

function latin1(bytes: Uint8Array | null): string {
  return bytes === null ? '' : new TextDecoder('latin1').decode(bytes);
}
