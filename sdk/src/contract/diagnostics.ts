/** What a device says about itself besides its sensors (DIA). */

/** Values of `reboot_reason` in a packet. */
export const REBOOT_REASONS = ['POWERON', 'SW', 'PANIC', 'WDT', 'BROWNOUT', 'EXT'] as const;
export type RebootReason = (typeof REBOOT_REASONS)[number];
