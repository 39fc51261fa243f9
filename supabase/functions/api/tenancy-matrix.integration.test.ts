import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type Answer, type TestApi } from '../test/api.ts';
import { registerForClaim } from '../test/people.ts';
import { CALLERS, tokensOf, type Caller, type Tokens } from '../test/tenancy/callers.ts';
import { foreignPlace, fresh, NAMES, neighbour, nowhere, updates, type Ids } from '../test/tenancy/places.ts';
import { LISTS, ROUTES, type Asked } from '../test/tenancy/routes.ts';

const PLACES = ['neighbour', 'sibling', 'stranger'] as const;
type Place = (typeof PLACES)[number];

let api: TestApi;
let tokens: Tokens;
let mine: Record<string, string>;
let lineKey: string;
const ids = {} as Record<Place, Ids>;

beforeAll(async () => {
  api = await startApi();
  const { world, db } = api;
  // The matrix asks more than the hundred times a minute of the smallest plan.
  await db.query(`update public.orgs set plan = 'enterprise'`);
  tokens = await tokensOf(api);
  ids.neighbour = await neighbour(api);
  ids.sibling = await foreignPlace(api, world.sibling, world.partner);
  ids.stranger = await foreignPlace(api, world.stranger, world.otherPartner);
  lineKey = await api.apiKey(['provision']);
  mine = {
    'my.org': world.org.id,
    'my.room': world.org.room,
    'my.serial': world.org.device.serial,
    'my.firmware': (await updates(api, world.org, world.orgAdmin)).firmware,
  };
});
afterAll(() => api?.stop());

/** Places that are not the caller's. A neighbour in the same org is foreign to those who have single things only. */
function foreignTo(caller: Caller): Place[] {
  if (caller === 'admin') return [];
  if (caller === 'partner') return ['stranger'];
  return ['customer', 'tenant', 'device'].includes(caller) ? [...PLACES] : ['sibling', 'stranger'];
}

const newName = (): string => `new-${randomBytes(4).toString('hex')}`;
const fillIn = (text: string, given: Record<string, string>): string =>
  text.replace(/\{([a-zA-Z.]+)\}/g, (whole, name: string) => given[name] ?? whole);

async function ask(caller: Caller, method: string, asked: Asked | string, given: Ids): Promise<Answer> {
  const { path, body, headers } = typeof asked === 'string' ? { path: asked } : (asked as Asked);
  const all = { ...given, ...mine, new: newName() };
  if (JSON.stringify(body)?.includes('{my.claimable}')) {
    const { serial, code } = await registerForClaim(api, newName(), lineKey);
    Object.assign(all, { 'my.claimable': serial, 'my.code': code });
  }
  const token = tokens[caller];
  return api.call(method, fillIn(path, all), {
    ...(token === undefined ? {} : { as: token }),
    ...(body === undefined
      ? {}
      : { body: JSON.parse(fillIn(JSON.stringify(body), all).replaceAll('\n', '\\n')) as unknown }),
    ...(headers && { headers }),
  });
}

/** All that an answer gives away, with the ids that were asked for taken out. */
function seen(answer: Answer, given: Ids): string {
  let text = answer.text
    .replace(/"(request_id|server_time)":"[^"]*"/g, '')
    .replace(/new-[0-9a-f]{8}/g, '<new>');
  // Longest first: an id may hold another.
  for (const name of [...NAMES].sort((a, b) => given[b].length - given[a].length))
    text = text.replaceAll(given[name], `<${name}>`);
  const headers = ['content-type', 'link', 'x-total-count', 'retry-after', 'www-authenticate'];
  return [answer.status, ...headers.map((name) => answer.headers.get(name) ?? ''), text].join('\n');
}

/** Everything of an org, or of nobody, so that a foreign write anywhere shows. */
async function digestOf(org: string): Promise<string> {
  const owner = await api.db.connect('supabase_admin');
  const tables = await owner.query<{ name: string; key: string }>(
    `select c.relname as name, a.attname as key from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       and (a.attname in ('org_id', 'org_num') or c.relname = 'orgs' and a.attname = 'id') order by 1`,
  );
  const digests = [];
  for (const { name, key } of tables) {
    const value = key === 'org_num' ? '(select num from public.orgs where id = $1)' : '$1';
    digests.push(
      `${name} ${await owner.value<string>(
        `select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from public.${name} t where ${key} = ${value}`,
        [org],
      )}`,
    );
  }
  await owner.client.end();
  return digests.join('\n');
}

it('every route of the OpenAPI document has an expectation', async () => {
  const { body } = await api.get('/openapi.json');
  const routes = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(routes.length).toBeGreaterThan(60);
  expect(routes.sort()).toEqual(Object.keys(ROUTES).sort());
});

/** Open to the device alone, or to whoever has the code: for an admin without either nothing is there. */
const UNTOLD = [
  'POST /devices/{serial}/telemetry',
  'POST /devices/{serial}/commands/{id}/ack',
  'POST /devices/{serial}/ota/status',
  'POST /devices/{serial}/shadow/reported',
  'POST /claims/preview',
  'POST /claims',
  'POST /room-claims/preview',
  'POST /room-claims',
];

/** What joins two orgs is refused to everybody; and no device is of the type that was made for the matrix. */
const sameForAll = (one: Asked | string): boolean => /\{my\.|product_type=/.test(JSON.stringify(one));
/** Tries at a code are counted, so each takes a thing that nobody tried. */
const guessed = (asked: unknown): boolean => /\{(spare|emptyRoom)\}/.test(JSON.stringify(asked));

describe('what belongs to others', () => {
  const cases = Object.entries(ROUTES).flatMap(([route, expectation]) =>
    Array.isArray(expectation) ? [[route, expectation] as const] : [],
  );

  it.each(cases)('%s answers as for what does not exist, to everybody', async (route, asked) => {
    const [method] = route.split(' ') as [string];
    const before = await digestOf(api.world.stranger.id);
    await Promise.all(CALLERS.map((caller) => compare(caller, method, asked)));
    // Devices of the org that were made to be guessed at are the only thing that changed.
    if (!guessed(asked)) expect(await digestOf(api.world.stranger.id)).toBe(before);
  });

  async function compare(caller: Caller, method: string, asked: (Asked | string)[]): Promise<void> {
    for (const one of asked) {
      const missing = nowhere();
      const expected = seen(await ask(caller, method, one, missing), missing);
      for (const place of foreignTo(caller)) {
        const given = guessed(one) ? { ...ids[place], ...(await untried(place)) } : ids[place];
        const answer = await ask(caller, method, one, given);
        expect(seen(answer, given), `${caller} asks for ${place}: ${JSON.stringify(one)}`).toBe(expected);
        // Neither a failure of ours, nor a request so badly made that nobody looked whose thing it is.
        expect([400, 429, 500, 503], JSON.stringify(one)).not.toContain(answer.status);
      }
    }
  }

  // Who may do everything is told apart, so the answers above were about the thing that was named.
  const told = cases.filter(([route]) => !route.startsWith('DELETE') && !UNTOLD.includes(route));
  it.each(told)('%s tells the admin what exists from what does not', async (route, asked) => {
    const [method] = route.split(' ') as [string];
    for (const one of asked.filter((each) => !sameForAll(each))) {
      const missing = nowhere();
      const existing = seen(await ask('admin', method, one, ids.sibling), ids.sibling);
      expect(existing, JSON.stringify(one)).not.toBe(seen(await ask('admin', method, one, missing), missing));
    }
  });

  async function untried(place: Place): Promise<{ emptyRoom: string; spare: string }> {
    const { world } = api;
    return fresh(api, place === 'neighbour' ? world.org : world[place], world.admin);
  }
});

describe.each(CALLERS.filter((caller) => caller !== 'admin'))('lists for %s', (caller) => {
  it.each(LISTS)('%s hold nothing foreign', async (path) => {
    const { text } = await ask(caller, 'GET', path, nowhere());
    for (const place of foreignTo(caller)) {
      const theirs = place === 'neighbour' ? [ids.neighbour.serial] : NAMES.map((name) => ids[place][name]);
      // A sibling has the same partner.
      const found = theirs.filter((id) => text.includes(id) && id !== api.world.partner);
      expect(found, place).toEqual([]);
    }
  });
});

it('a foreign thing takes as long as a missing one', async () => {
  const median = (times: number[]): number => times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
  for (const path of [
    '/devices/{serial}',
    '/orgs/{org}/overview',
    '/rooms/{room}',
    '/devices/{serial}/tenures',
  ]) {
    const times: Record<'foreign' | 'missing', number[]> = { foreign: [], missing: [] };
    // In turns, so that what else the machine does hits both alike.
    for (let n = 0; n < 31; n++) {
      for (const [kind, given] of [
        ['foreign', ids.stranger],
        ['missing', nowhere()],
      ] as const) {
        const begin = performance.now();
        await ask('org_admin', 'GET', path, given);
        times[kind].push(performance.now() - begin);
      }
    }
    const [foreign, missing] = [median(times.foreign), median(times.missing)];
    expect(Math.abs(foreign - missing), path).toBeLessThan(3 + 0.5 * Math.max(foreign, missing));
  }
});
