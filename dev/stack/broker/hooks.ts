import type { AedesOptions, AedesPublishPacket, Client, PublishPacket } from 'aedes';
import { errorText, type Log } from '../../../mqtt-bridge/src/log.ts';
import { INGEST_USER } from '../../../mqtt-bridge/src/topics.ts';
import { isBridgeUser, mayPublish, mayReceive, maySubscribe } from './acl.ts';
import type { Admission } from './admission.ts';
import type { Journal } from './journal.ts';
import type { SessionStore } from './session-store.ts';

/** Readings the ingest session may owe before publishers have to wait for their PUBACK. Packet ids: 65,535. */
const BACKLOG_LIMIT = 50_000;
/** A refused publish goes here: acknowledged as Mosquitto does it for MQTT 3.1.1, and delivered to nobody. */
const NOWHERE = '$denied';

type Done = (error?: Error | null) => void;
type Numbered = AedesPublishPacket & { messageId?: number };

export interface HookParts {
  store: SessionStore;
  admission: Admission;
  log: Log;
  /** Given: a PUBACK waits until the message is on the disk. */
  journal?: Journal;
  nextCounter(): number;
}

/** Aedes' decision points: who may connect, publish, subscribe and receive, and when a publish is acknowledged. */
export function hooks({ store, admission, log, journal, nextCounter }: HookParts): AedesOptions {
  const accept = (packet: PublishPacket, done: Done): void => {
    const note = journal && packet.qos > 0 ? store.announce(packet as Numbered) : undefined;
    if (!journal || !note) return done(null);
    journal.flushed().then(() => {
      const counter = nextCounter();
      (packet as Numbered).brokerCounter = counter;
      note.arrive(counter);
      done(null);
    }, done);
  };
  return {
    preConnect(_client, packet, done) {
      // The client id is the user name, whatever the client says: takeover only by the same credential.
      if (packet.username) packet.clientId = packet.username;
      done(null, true);
    },
    authenticate(client, username, password, done) {
      admission.authenticate(client, username ?? '', password).then(
        (ok) => done(null, ok),
        (error) => {
          log('error', 'cannot check credentials', { serial: username, error: errorText(error) });
          done(Object.assign(new Error('credentials cannot be checked now'), { returnCode: 3 }), null);
        },
      );
    },
    authorizePublish(client: Client | null, packet, done) {
      const user = client?.id ?? '';
      packet.dup = false; // [MQTT-3.3.1-3]: the publisher's flag says nothing about this delivery
      if (!mayPublish(user, packet.topic)) {
        log('warn', 'publish denied', { serial: user, topic: packet.topic.slice(0, 200) });
        packet.topic = NOWHERE;
        packet.retain = false;
        return done(null);
      }
      if (isBridgeUser(user)) return accept(packet, done);
      packet.retain = false; // retained messages are the platform's; a device's would outlive its tenure
      store.open(INGEST_USER).whenBelow(BACKLOG_LIMIT, () => accept(packet, done));
    },
    authorizeSubscribe(client, subscription, done) {
      done(null, maySubscribe(client.id, subscription.topic) ? subscription : null);
    },
    authorizeForward(client, packet) {
      if (!mayReceive(client.id, packet.topic) || !store.admit(client, packet)) return null;
      if (packet.qos > 1) packet.qos = 1; // nobody here subscribes at 2, yet aedes would deliver at 2
      return packet;
    },
  };
}
