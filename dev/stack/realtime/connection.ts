import type { WebSocket } from 'ws';
import { AccessDenied, type Access, type Identity } from './access.ts';
import { readFrame, writeFrame, type Frame, type Serializer } from './frames.ts';
import type { Topics } from './topics.ts';

export interface Channel {
  /** With the `realtime:` prefix, as on the wire. */
  topic: string;
  name: string;
  isPrivate: boolean;
  joinRef: string | null;
  identity: Identity;
  expiry: NodeJS.Timeout | undefined;
  connection: Connection;
}

const PREFIX = 'realtime:';
/** A client that hears nothing for this long has gone; it sends a heartbeat every 25 s. */
const SILENCE_MS = 75_000;
/** A client that does not take what it is sent is cut off: it joins again and reads the present state. */
const MAX_BUFFERED = 4 * 1024 * 1024;
const MAX_CHANNELS = 200;

/** One websocket of one client: its channels, their rights and their end. */
export class Connection {
  readonly serializer: Serializer;
  readonly #socket: WebSocket;
  readonly #access: Access;
  readonly #topics: Topics;
  readonly #apiKey: string;
  readonly #channels = new Map<string, Channel>();
  #silence: NodeJS.Timeout | undefined;
  #queue: Promise<void> = Promise.resolve();

  constructor(socket: WebSocket, serializer: Serializer, apiKey: string, access: Access, topics: Topics) {
    this.#socket = socket;
    this.serializer = serializer;
    this.#apiKey = apiKey;
    this.#access = access;
    this.#topics = topics;
    this.#hear();
    socket.on('message', (data, isBinary) => {
      this.#hear();
      if (isBinary) return;
      const frame = readFrame(String(data));
      // One after another: a leave must not overtake its join.
      if (frame) this.#queue = this.#queue.then(() => this.#handle(frame)).catch(() => socket.terminate());
    });
    socket.on('close', () => {
      clearTimeout(this.#silence);
      for (const channel of this.#channels.values()) this.#forget(channel);
    });
    socket.on('error', () => socket.terminate());
  }

  sendText(text: string): void {
    if (this.#socket.bufferedAmount > MAX_BUFFERED) this.#socket.terminate();
    else this.#socket.send(text);
  }

  close(): void {
    this.#socket.close(1001, 'The server stops');
    setTimeout(() => this.#socket.terminate(), 300).unref();
  }

  async #handle(frame: Frame): Promise<void> {
    if (frame.topic === 'phoenix' && frame.event === 'heartbeat') return this.#reply(frame, 'ok', {});
    if (frame.event === 'phx_join') return this.#join(frame);
    const channel = this.#channels.get(frame.topic);
    if (!channel) return this.#reply(frame, 'error', { reason: 'unmatched topic' });
    if (frame.event === 'access_token') return this.#renew(channel, frame);
    if (frame.event === 'phx_leave') {
      this.#forget(channel);
      this.#reply(frame, 'ok', {});
      return this.#push(channel, 'phx_close', {});
    }
    // Messages come from the database only; what a client wants to say goes through the API.
    if (frame.ref !== null) this.#reply(frame, 'error', { reason: 'Clients may not send on this channel' });
  }

  async #join(frame: Frame): Promise<void> {
    const config = (frame.payload['config'] ?? {}) as { private?: boolean };
    const name = frame.topic.startsWith(PREFIX) ? frame.topic.slice(PREFIX.length) : '';
    const deny = (reason: string): void => this.#reply(frame, 'error', { reason });
    if (name === '') return deny('unmatched topic');
    const known = this.#channels.get(frame.topic);
    if (known) this.#forget(known);
    if (this.#channels.size >= MAX_CHANNELS) return deny('ChannelRateLimitReached: Too many channels');
    try {
      const identity = await this.#access.identify(tokenOf(frame), this.#apiKey);
      const isPrivate = config.private === true;
      if (isPrivate && !(await this.#access.mayRead(name, identity)))
        return deny(`Unauthorized: You do not have permissions to read from this Channel topic: ${name}`);
      if (this.#socket.readyState !== this.#socket.OPEN) return;
      const channel = {
        topic: frame.topic,
        name,
        isPrivate,
        joinRef: frame.joinRef,
        identity,
        expiry: undefined,
        connection: this,
      };
      this.#channels.set(frame.topic, channel);
      this.#topics.add(channel);
      this.#endWhenExpired(channel);
      this.#reply(frame, 'ok', { postgres_changes: [] });
    } catch (error) {
      if (!(error instanceof AccessDenied)) throw error;
      deny(error.message);
    }
  }

  /** A new token for a joined channel: the rights are looked at again, the old expiry no longer counts. */
  async #renew(channel: Channel, frame: Frame): Promise<void> {
    try {
      const identity = await this.#access.identify(tokenOf(frame), this.#apiKey);
      if (channel.isPrivate && !(await this.#access.mayRead(channel.name, identity)))
        throw new AccessDenied(
          `Unauthorized: You do not have permissions to read from this Channel topic: ${channel.name}`,
        );
      channel.identity = identity;
      this.#endWhenExpired(channel);
    } catch (error) {
      if (!(error instanceof AccessDenied)) throw error;
      this.#end(channel, error.message);
    }
  }

  #endWhenExpired(channel: Channel): void {
    clearTimeout(channel.expiry);
    channel.expiry = undefined;
    const { expiresAt } = channel.identity;
    if (expiresAt === undefined) return;
    const wait = Math.min(Math.max(expiresAt * 1000 - Date.now(), 0), 2 ** 31 - 1);
    channel.expiry = setTimeout(() => this.#end(channel, 'Token has expired'), wait);
  }

  #end(channel: Channel, message: string): void {
    this.#push(channel, 'system', { channel: channel.name, extension: 'system', status: 'error', message });
    this.#forget(channel);
    this.#push(channel, 'phx_close', {});
  }

  #forget(channel: Channel): void {
    clearTimeout(channel.expiry);
    this.#topics.remove(channel);
    if (this.#channels.get(channel.topic) === channel) this.#channels.delete(channel.topic);
  }

  #reply(frame: Frame, status: 'ok' | 'error', response: Record<string, unknown>): void {
    this.#write({ ...frame, event: 'phx_reply', payload: { status, response } });
  }

  #push(channel: Channel, event: string, payload: Record<string, unknown>): void {
    this.#write({
      joinRef: channel.joinRef,
      ref: event === 'phx_close' ? channel.joinRef : null,
      topic: channel.topic,
      event,
      payload,
    });
  }

  #write(frame: Frame): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.sendText(writeFrame(frame, this.serializer));
  }

  #hear(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#socket.terminate(), SILENCE_MS);
  }
}

function tokenOf(frame: Frame): string | undefined {
  const token = frame.payload['access_token'];
  return typeof token === 'string' && token !== '' ? token : undefined;
}
