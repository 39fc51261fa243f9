import type { RejectReason } from '@edgeconductor/sdk';

/** Why a packet was refused, and what its sender should change. */
export const REASONS: Record<RejectReason, { title: string; help: string }> = {
  not_json: { title: 'Not JSON', help: 'Send one JSON object, or an array of them.' },
  not_an_object: { title: 'Not an object', help: 'A packet is an object such as {"temp":21.5}.' },
  too_large: { title: 'Too large', help: 'A packet may have 8 KB, a batch 256 KB and 1,000 packets.' },
  too_deep: { title: 'Nested too deep', help: 'Objects and arrays may be nested eight levels.' },
  bad_key: {
    title: 'Key not allowed',
    help: 'Keys start with a letter and hold letters, digits and "_", 64 at most.',
  },
  bad_value: {
    title: 'Value not allowed',
    help: 'Numbers must be finite; texts hold 1 KB and no control characters.',
  },
  bad_ts: { title: 'Time unreadable', help: 'Send "ts" as ISO 8601 or as milliseconds since 1970.' },
  ts_out_of_range: {
    title: 'Time out of range',
    help: 'Accepted are the last 7 days and up to 5 minutes ahead. Check the device’s clock.',
  },
  empty: { title: 'Empty packet', help: 'A packet needs at least one reading.' },
  unknown_device: { title: 'Unknown device', help: 'Register the serial number first.' },
};
