import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Ports } from '../ports.ts';
import { problemUnavailable, proxy, proxyUpgrade } from './proxy.ts';

/** `/api` and `/registry` are the API's function, as a reverse proxy in production maps them. */
const API = /^\/(?:api|registry)(?=[/?]|$)/;
/** Mails of Auth link to the web address; sign-in and files may be reached there as well. */
const SUPABASE = /^\/(?:auth|storage|realtime)\/v1\//;

/** The address people open: the web app, with the API under the same origin. */
export function webGateway(ports: Ports): Server {
  const server = createServer((request, response) => {
    const url = request.url ?? '/';
    if (API.test(url)) {
      // Straight to the function, one hop as from the other gateway: it counts them to know who asks.
      const path = `/api${url.replace(API, '')}`;
      proxy(request, response, ports.api, path, (answer) => problemUnavailable(answer, 'The API'));
    } else if (SUPABASE.test(url)) {
      proxy(request, response, ports.supabase, url, (answer) => problemUnavailable(answer, 'Sign-in'));
    } else proxy(request, response, ports.site, url, restarting);
  });
  server.on('upgrade', (request: IncomingMessage, socket, head: Buffer) => {
    const port = SUPABASE.test(request.url ?? '') ? ports.supabase : ports.site;
    proxyUpgrade(request, socket, head, port);
  });
  return server;
}

function restarting(response: ServerResponse): void {
  response.writeHead(503, { 'content-type': 'text/html; charset=utf-8', 'retry-after': '2' });
  response.end(
    '<!doctype html><meta http-equiv="refresh" content="2"><title>One moment</title><p>The web app is starting again. This page reloads by itself.</p>',
  );
}
