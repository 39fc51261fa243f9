import type { Client } from 'aedes';
import type { Log } from '../../../mqtt-bridge/src/log.ts';
import { isBridgeUser } from './acl.ts';

/** Above the 256 KB a telemetry batch may have, with room for its topic; interfaces, "MQTT". */
export const MAX_PACKET_BYTES = 300 * 1024;
/** A CONNECT carries names, a password and a will: nothing that needs more. */
const MAX_CONNECT_BYTES = 16 * 1024;
/** A device that does not read what it asked for is cut off here; the bridge's session is bounded elsewhere. */
const MAX_UNREAD_BYTES = 1024 * 1024;

interface Internals {
  _parser: {
    _parseLength(): boolean;
    packet: { length: number; cmd: string };
    emit(event: 'error', error: Error): void;
  };
  waitForDrain(callback: (error: Error | null, client: Client) => void): void;
}

/** Bounds what one connection may cost the others. Relies on internals of aedes 1.2.0 and mqtt-packet 9. */
export function tameClient(client: Client, log: Log): void {
  const internals = client as unknown as Internals;
  limitPacketSize(internals._parser);
  // Aedes makes a publisher wait until the slowest subscriber's socket drained. Nobody waits here: messages
  // that must not get lost are in a session's queue already, and a socket nobody reads is closed.
  internals.waitForDrain = (callback) => {
    const unread = client.conn.writableLength;
    if (unread > MAX_UNREAD_BYTES && !isBridgeUser(client.id ?? '')) {
      log('warn', 'connection closed: it does not read', { serial: client.id, unread });
      client.conn.destroy();
    }
    setImmediate(callback, null, client);
  };
}

/**
 * mqtt-packet collects a packet of any length (up to 256 MB) before anybody may look at it. The length is
 * checked as soon as it is known instead, so an unauthenticated stranger cannot fill the memory.
 */
function limitPacketSize(parser: Internals['_parser']): void {
  const parseLength = parser._parseLength;
  parser._parseLength = function limited(): boolean {
    const complete = parseLength.call(parser);
    const limit = parser.packet.cmd === 'connect' ? MAX_CONNECT_BYTES : MAX_PACKET_BYTES;
    if (!complete || parser.packet.length <= limit) return complete;
    parser.emit('error', new Error(`packet of more than ${limit} bytes`));
    return false;
  };
}
