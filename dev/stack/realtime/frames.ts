/** One message of the Phoenix protocol, as Realtime's clients and server exchange it. */
export interface Frame {
  joinRef: string | null;
  ref: string | null;
  topic: string;
  event: string;
  payload: Record<string, unknown>;
}

/** `2.0.0` is an array, `1.0.0` an object. */
export type Serializer = '1.0.0' | '2.0.0';

/** undefined when the text is no frame. */
export function readFrame(text: string): Frame | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const [joinRef, ref, topic, event, payload] = Array.isArray(value)
      ? value
      : members(value as Record<string, unknown>);
    if (typeof topic !== 'string' || typeof event !== 'string') return undefined;
    return {
      joinRef: asRef(joinRef),
      ref: asRef(ref),
      topic,
      event,
      payload: (payload ?? {}) as Frame['payload'],
    };
  } catch {
    return undefined;
  }
}

const members = (value: Record<string, unknown>): unknown[] => [
  value['join_ref'],
  value['ref'],
  value['topic'],
  value['event'],
  value['payload'],
];

const asRef = (value: unknown): string | null =>
  value === null || value === undefined ? null : String(value);

export function writeFrame(frame: Frame, serializer: Serializer): string {
  if (serializer === '2.0.0')
    return JSON.stringify([frame.joinRef, frame.ref, frame.topic, frame.event, frame.payload]);
  const { joinRef, ...rest } = frame;
  return JSON.stringify({ ...rest, join_ref: joinRef });
}
