import { MAX_PACKET_BYTES } from './connection.ts';
import type { BrokerOptions } from './index.ts';

export interface ConfigParts extends Pick<
  BrokerOptions,
  'mqttPort' | 'mqttsPort' | 'tls' | 'dataDir' | 'durable' | 'host'
> {
  pid: string;
  passwords: string;
  acl: string;
  /** Mosquitto started by root changes to this user; it must be able to read the files. */
  user: string;
}

/** mosquitto.conf for 2.0. The limits are raised because the default ones silently drop a burst. */
export function mosquittoConfig(parts: ConfigParts): string {
  return `# Written at every start.
user ${parts.user}
pid_file ${parts.pid}
log_dest stderr
log_type error
log_type warning
log_type notice
connection_messages false

allow_anonymous false
password_file ${parts.passwords}
acl_file ${parts.acl}

persistence true
persistence_location ${parts.dataDir}/
persistence_file mosquitto.db
${parts.durable ? 'autosave_on_changes true\nautosave_interval 1' : 'autosave_interval 30'}
persistent_client_expiration 7d

# 20 in flight and 1,000 queued are the defaults; beyond them messages already acknowledged are dropped.
# (Not 0 = no limit: 2.0.11 then disconnects a device after every publish the ACL refuses.)
max_inflight_messages 5000
max_queued_messages 1000000
max_queued_bytes 268435456
max_packet_size ${MAX_PACKET_BYTES}
max_keepalive 3600
set_tcp_nodelay true

listener ${parts.mqttPort} 127.0.0.1
use_username_as_clientid true

listener ${parts.mqttsPort} ${parts.host ?? '127.0.0.1'}
use_username_as_clientid true
certfile ${parts.tls.cert}
keyfile ${parts.tls.key}
`;
}
