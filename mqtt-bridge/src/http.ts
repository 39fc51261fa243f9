import { createServer, type Server } from 'node:http';

export interface HttpOptions {
  port: number;
  host: string;
  /** Word for each part, and whether all is well. */
  health(): { ok: boolean; parts: Record<string, boolean> };
  metrics(): string;
}

/** GET /health (200 or 503, JSON) and GET /metrics (Prometheus). @throws when the port is taken */
export async function serveHttp(options: HttpOptions): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.method === 'GET' && request.url === '/health') {
      const { ok, parts } = options.health();
      response.writeHead(ok ? 200 : 503, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ ok, ...parts }));
    } else if (request.method === 'GET' && request.url === '/metrics') {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' });
      response.end(options.metrics());
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return server;
}
