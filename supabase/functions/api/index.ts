import { startApp } from './start.ts';

const app = startApp((name) => Deno.env.get(name));
Deno.serve((request, { remoteAddr }) =>
  app.fetch(request, { peer: 'hostname' in remoteAddr ? remoteAddr.hostname : undefined }),
);
