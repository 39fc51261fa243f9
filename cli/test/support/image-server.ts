import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { UpdateOrder } from '../../src/simulate/index.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');

/** As in the register reply: 32 bytes, base64. */
export const PUBLIC_KEY = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url').toString('base64');

/** Hands out one image behind links that redirect, as the platform does, with Range and with bad days. */
export class ImageServer {
  readonly image: Buffer;
  readonly #server: Server;
  /** Where the platform would be; its links begin with `/firmware/files/`. */
  readonly url: string;
  #links = 0;
  #dead = new Set<string>();
  /** Range header of every download of the file itself; null for one from the start. */
  ranges: Array<string | null> = [];
  /** So many downloads from now on are cut off after half of what they ask for. */
  cuts = 0;
  /** While set, files come this slowly: so many bytes every 10 ms. */
  pace = 0;
  /** Status of answers instead of the redirect, one after the other. */
  answers: number[] = [];

  private constructor(image: Buffer, server: Server) {
    this.image = image;
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(image: Uint8Array): Promise<ImageServer> {
    let made: ImageServer | undefined;
    const server = createServer((request, response) => made?.handle(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    made = new ImageServer(Buffer.from(image), server);
    return made;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** What the platform would send, with a link of its own each time. */
  order(more: Partial<UpdateOrder> = {}): UpdateOrder {
    const version = more.version ?? '1.3.0';
    const product_type = more.product_type ?? 'EC-CLIMATE-V1';
    const digest = createHash('sha256').update(this.image).digest();
    return {
      url: `${this.url}/firmware/files/${++this.#links}`,
      ...{ version, product_type, size: this.image.length, sha256: digest.toString('hex') },
      signature: sign(
        null,
        Buffer.concat([digest, Buffer.from(version + product_type)]),
        privateKey,
      ).toString('base64'),
      ...{ job_id: '00000000-0000-4000-8000-000000000001', attempt: 1 },
      ...more,
    };
  }

  /** From now on the link is over. */
  expire({ url }: UpdateOrder): void {
    this.#dead.add(new URL(url).pathname);
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const { url = '' } = request;
    if (url.startsWith('/firmware/files/')) {
      const status = this.#dead.has(url) ? 410 : (this.answers.shift() ?? 302);
      response.writeHead(status, { location: '/file' }).end();
      return;
    }
    const range = request.headers.range ?? null;
    this.ranges.push(range);
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const part = this.image.subarray(from);
    if (range !== null && part.length === 0) return void response.writeHead(416).end();
    response.writeHead(range === null ? 200 : 206, { 'content-length': part.length });
    if (this.cuts > 0) {
      this.cuts--;
      response.write(part.subarray(0, part.length >> 1), () => response.destroy());
    } else if (this.pace > 0) this.#drip(part, response);
    else response.end(part);
  }

  #drip(part: Buffer, response: ServerResponse): void {
    const timer = setInterval(() => {
      const step = this.pace === 0 ? part.length : this.pace;
      response.write(part.subarray(0, step));
      part = part.subarray(step);
      if (part.length > 0 && !response.destroyed) return;
      clearInterval(timer);
      response.end();
    }, 10);
  }
}
