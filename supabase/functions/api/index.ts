import { startApp } from './start.ts';

const app = startApp((name) => Deno.env.get(name));
Deno.serve((request) => app.fetch(request));
