import { createServer } from 'node:net';

const SIZE = 100;
const FIRST = 20_000;
// Above this Linux hands ports to outgoing connections, which would come and go under us.
const LAST = 32_000;

/**
 * The base of a block of 100 ports that nobody listens on, for `--port-base`. Blocks are tried in random
 * order, so that two test runs on one machine rarely meet, and the ports the stack uses are all probed.
 */
export async function freePortBlock(): Promise<number> {
  const bases = Array.from({ length: (LAST - FIRST) / SIZE }, (_, i) => FIRST + i * SIZE);
  for (let left = bases.length; left > 0; left--) {
    const [base] = bases.splice(Math.floor(Math.random() * left), 1) as [number];
    const free = await Promise.all(Array.from({ length: 11 }, (_, i) => isFree(base + i)));
    if (free.every(Boolean)) return base;
  }
  throw new Error(`No free block of ${SIZE} ports between ${FIRST} and ${LAST}.`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
