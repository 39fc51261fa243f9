import type { Client } from 'aedes';

/** Above the 256 KB a telemetry batch may have, with room for its topic; interfaces, "MQTT". */
export const MAX_PACKET_BYTES = 300 * 1024;
/** A CONNECT carries names, a password and a will: nothing that needs more. */
const MAX_CONNECT_BYTES = 16 * 1024;

interface Parser {
  _parseLength(): boolean;
  packet: { length: number; cmd: string };
  emit(event: 'error', error: Error): void;
}

/**
 * mqtt-packet collects a packet of any length (up to 256 MB) before anybody may look at it. The length is
 * checked as soon as it is known instead, so an unauthenticated stranger cannot fill the memory.
 */
export function limitPacketSize(client: Client): void {
  const parser = (client as unknown as { _parser: Parser })._parser;
  const parseLength = parser._parseLength;
  parser._parseLength = function limited(this: Parser): boolean {
    const complete = parseLength.call(this);
    const limit = this.packet.cmd === 'connect' ? MAX_CONNECT_BYTES : MAX_PACKET_BYTES;
    if (complete && this.packet.length > limit) {
      this.packet.length = -1;
      this.emit('error', new Error(`packet of more than ${limit} bytes`));
      return false;
    }
    return complete;
  };
}
