import { startWorker } from './start.ts';

const worker = startWorker((name) => Deno.env.get(name));
Deno.serve((request) => worker(request));
