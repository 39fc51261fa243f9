/** What one MQTT message asks the database to do. JSON texts, made once, on arrival. */
export interface Work {
  serial: string;
  /** Packets for ec.ingest_telemetry, each without its opening `{"i":n,`. */
  telemetry: string[];
  /** Items for ec.record_reported. */
  reported: string[];
  /** Items for ec.record_status. */
  status: string[];
  /** Serials for ec.answer_shadow_get. */
  asked: string[];
  /** Items for ec.record_command_acks. */
  acks: string[];
  /** Items for ec.record_ota_status. */
  ota: string[];
  /** Items for ec.record_dead_letters. */
  dead: string[];
  /** How many packets bring no time of their own: re-delivered, they are recognised among the last 64 only. */
  timeless: number;
  bytes: number;
}

export function emptyWork(serial: string, bytes: number): Work {
  const lists = { telemetry: [], reported: [], status: [], asked: [], acks: [], ota: [], dead: [] };
  return { serial, ...lists, timeless: 0, bytes };
}

export interface DeadLetterItem {
  s: string;
  reason: string;
  detail: string;
  /** Escaped, at most 8 KB. */
  payload: string;
  /** Size as received. */
  bytes: number;
  /** Arrival, µs since the epoch. */
  r: number;
}

export function deadLetter(item: DeadLetterItem): string {
  return JSON.stringify({ ...item, door: 'mqtt' });
}
