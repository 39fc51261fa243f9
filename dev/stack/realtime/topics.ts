import type { Channel } from './connection.ts';
import { writeFrame, type Serializer } from './frames.ts';

/** One row of realtime.messages on its way to the clients. */
export interface Message {
  topic: string;
  event: string;
  private: boolean;
  payload: unknown;
}

/** Who listens to what. Private and public channels of the same name never meet. */
export class Topics {
  readonly #channels = new Map<string, Set<Channel>>();

  add(channel: Channel): void {
    const key = keyOf(channel.name, channel.isPrivate);
    const members = this.#channels.get(key);
    if (members) members.add(channel);
    else this.#channels.set(key, new Set([channel]));
  }

  remove(channel: Channel): void {
    const key = keyOf(channel.name, channel.isPrivate);
    const members = this.#channels.get(key);
    members?.delete(channel);
    if (members?.size === 0) this.#channels.delete(key);
  }

  deliver(message: Message): void {
    const members = this.#channels.get(keyOf(message.topic, message.private));
    if (!members) return;
    const texts = new Map<Serializer, string>();
    for (const channel of members) {
      const { serializer } = channel.connection;
      let text = texts.get(serializer);
      if (text === undefined) {
        const payload = { type: 'broadcast', event: message.event, payload: message.payload };
        text = writeFrame(
          { joinRef: null, ref: null, topic: channel.topic, event: 'broadcast', payload },
          serializer,
        );
        texts.set(serializer, text);
      }
      channel.connection.sendText(text);
    }
  }
}

const keyOf = (name: string, isPrivate: boolean): string => `${isPrivate ? 'private' : 'public'} ${name}`;
