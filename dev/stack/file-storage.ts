import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import type { App } from '@supabase/lite';
import { parseRange } from './byte-range.ts';

type StorageAdapter = NonNullable<App['_storageAdapter']>;
type Metadata = Awaited<ReturnType<StorageAdapter['headObject']>>;

/** The Range header of the request being served: lite does not hand it to its adapter. */
export const requestedRange = new AsyncLocalStorage<string | undefined>();

interface Sidecar {
  key: string;
  mimetype: string;
  cacheControl: string;
  size: number;
  eTag: string;
  lastModified: string;
}

/** Storage objects as files: content under a hash of the key (no path tricks), facts in a JSON file beside it. */
export class FileStorage implements StorageAdapter {
  readonly driver = 'file';
  readonly #base: string;

  constructor(base: string) {
    this.#base = base;
  }

  async getObject(bucket: string, key: string): ReturnType<StorageAdapter['getObject']> {
    const metadata = await this.headObject(bucket, key);
    const file = this.#file(bucket, key);
    const range = parseRange(requestedRange.getStore(), metadata.size);
    if (range === undefined) return { metadata, httpStatusCode: 200, body: streamOf(file) };
    if (range === 'unsatisfiable') {
      return {
        metadata: { ...metadata, contentRange: `bytes */${metadata.size}` },
        httpStatusCode: 416,
        body: Buffer.alloc(0),
      };
    }
    return {
      metadata: {
        ...metadata,
        contentLength: range.end - range.start + 1,
        contentRange: `bytes ${range.start}-${range.end}/${metadata.size}`,
        httpStatusCode: 206,
      },
      httpStatusCode: 206,
      body: streamOf(file, range),
    };
  }

  async uploadObject(
    bucket: string,
    key: string,
    _version: string | undefined,
    body: Parameters<StorageAdapter['uploadObject']>[3],
    mimetype: string,
    cacheControl: string,
  ): Promise<Metadata> {
    const file = this.#file(bucket, key);
    await mkdir(dirname(file), { recursive: true });
    const partial = `${file}.${randomUUID()}.part`;
    const hash = createHash('md5');
    let size = 0;
    const counted = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        size += chunk.length;
        done(null, chunk);
      },
    });
    const source =
      body instanceof Uint8Array
        ? Readable.from([Buffer.from(body)])
        : Readable.fromWeb(body as ReadableStream);
    try {
      await pipeline(source, counted, createWriteStream(partial));
      const facts = {
        key,
        mimetype,
        cacheControl,
        size,
        eTag: `"${hash.digest('hex')}"`,
        lastModified: new Date().toISOString(),
      };
      await rename(partial, file);
      await writeFile(`${file}.json`, JSON.stringify(facts));
    } finally {
      await rm(partial, { force: true });
    }
    return this.headObject(bucket, key);
  }

  async deleteObject(bucket: string, key: string): Promise<void> {
    const file = this.#file(bucket, key);
    await rm(`${file}.json`, { force: true });
    await rm(file, { force: true });
  }

  async deleteObjects(bucket: string, keys: string[]): Promise<void> {
    for (const key of keys) await this.deleteObject(bucket, key);
  }

  async copyObject(
    fromBucket: string,
    from: string,
    _version: string | undefined,
    toBucket: string,
    to: string,
  ): ReturnType<StorageAdapter['copyObject']> {
    const facts = await this.#facts(fromBucket, from);
    const target = this.#file(toBucket, to);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(this.#file(fromBucket, from), target);
    const lastModified = new Date();
    await writeFile(
      `${target}.json`,
      JSON.stringify({ ...facts, key: to, lastModified: lastModified.toISOString() }),
    );
    return { httpStatusCode: 200, eTag: facts.eTag, lastModified };
  }

  async headObject(bucket: string, key: string): Promise<Metadata> {
    const { lastModified, key: _key, ...facts } = await this.#facts(bucket, key);
    return { ...facts, contentLength: facts.size, lastModified: new Date(lastModified), httpStatusCode: 200 };
  }

  async privateAssetUrl(bucket: string, key: string): Promise<string> {
    await (await open(this.#file(bucket, key))).close();
    return `file://${this.#file(bucket, key)}`;
  }

  #file(bucket: string, key: string): string {
    const name = createHash('sha256').update(key).digest('hex');
    const folder = createHash('sha256').update(bucket).digest('hex').slice(0, 16);
    return join(this.#base, folder, name.slice(0, 2), name);
  }

  async #facts(bucket: string, key: string): Promise<Sidecar> {
    return JSON.parse(await readFile(`${this.#file(bucket, key)}.json`, 'utf8')) as Sidecar;
  }
}

const streamOf = (file: string, range?: { start: number; end: number }): globalThis.ReadableStream =>
  Readable.toWeb(createReadStream(file, range)) as unknown as globalThis.ReadableStream;
