/** The OpenAPI 3.1 document, made of the very schemas that validate. */
import { OpenAPIHono } from '@hono/zod-openapi';
import { ERROR_CODES, ERROR_STATUS, Problem } from '@edgeconductor/sdk/contract';
import type { Route, Who } from './http/route.ts';
import { routes } from './routes/index.ts';

const INFO = {
  title: 'EdgeConductor API',
  version: '1.0.0',
  description:
    'Lists are plain arrays; the next page is in the Link header. Errors are application/problem+json (RFC 9457) ' +
    `with one of these codes: ${ERROR_CODES.map((code) => `${code} (${ERROR_STATUS[code]})`).join(', ')}. ` +
    'POST requests honour Idempotency-Key for 24 hours; a repeated answer never contains a secret.',
};

type RegisterPath = Parameters<OpenAPIHono['openAPIRegistry']['registerPath']>[0];

const JSON_OBJECT = { 'application/json': { schema: { type: 'object' as const } } };
/** Answer without a credential. */
const OPEN_PATHS: RegisterPath[] = [
  {
    method: 'get',
    path: '/health',
    tags: ['Service'],
    summary: 'Whether the API and its database answer',
    operationId: 'getHealth',
    security: [],
    responses: {
      200: { description: 'Both do', content: JSON_OBJECT },
      503: { description: 'The database does not' },
    },
  },
  {
    method: 'get',
    path: '/openapi.json',
    tags: ['Service'],
    summary: 'This document',
    operationId: 'getOpenApi',
    security: [],
    responses: { 200: { description: 'OpenAPI 3.1', content: JSON_OBJECT } },
  },
];

export function makeOpenApi(serverUrl: string): object {
  const { openAPIRegistry, getOpenAPI31Document } = new OpenAPIHono();
  openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description:
      'Access token of a person, ec_live_… API key, ec_prov_… provisioning key or ec_dev_… device secret',
  });
  for (const route of routes) openAPIRegistry.registerPath(describe(route));
  for (const path of OPEN_PATHS) openAPIRegistry.registerPath(path);
  const { webhooks: _, ...document } = getOpenAPI31Document.call({ openAPIRegistry } as OpenAPIHono, {
    openapi: '3.1.0',
    info: INFO,
    servers: [{ url: serverUrl }],
  });
  return document;
}

function describe(route: Route): RegisterPath {
  const responses: RegisterPath['responses'] = {
    default: { description: 'A problem', content: { 'application/problem+json': { schema: Problem } } },
  };
  for (const [status, schema] of Object.entries(route.replies)) {
    responses[status] = {
      description: schema === null ? 'No body' : 'Done',
      ...(schema === null ? {} : { content: { 'application/json': { schema } } }),
    };
  }
  return {
    method: route.method,
    path: route.path,
    tags: [route.tag],
    summary: route.summary,
    description: describeWho(route.who),
    operationId: operationId(route),
    security: route.who.anonymous ? [] : [{ bearer: [] }],
    request: {
      ...(route.params ? { params: route.params } : {}),
      ...(route.query ? { query: route.query } : {}),
      ...(route.body
        ? { body: { required: true, content: { 'application/json': { schema: route.body } } } }
        : {}),
    },
    responses,
  };
}

function describeWho(who: Who): string {
  if (who.anonymous) return 'Who: everybody, signed in or not.';
  const kinds = [
    who.anyone ? 'every signed-in person' : who.roles?.join(', '),
    who.api_key &&
      (who.api_key.length === 0 ? 'every API key' : `API key with scope ${who.api_key.join(' and ')}`),
    who.provisioning_key && 'provisioning key',
    who.device && 'the device itself',
  ];
  return `Who: ${kinds.filter(Boolean).join(' · ')}.`;
}

/** `get /orgs/{id}/rooms` → `getOrgsByIdRooms` */
function operationId({ method, path }: Route): string {
  const words = path
    .split('/')
    .flatMap((part) => (part.startsWith('{') ? ['by', part.slice(1, -1)] : part.split('-')));
  return (
    method +
    words
      .filter(Boolean)
      .map((word) => word[0]?.toUpperCase() + word.slice(1))
      .join('')
  );
}
