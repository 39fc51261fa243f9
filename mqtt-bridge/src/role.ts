/** A part of the bridge that can be started apart. */
export interface RunningRole {
  /** True when it does its work, or stands by for the one that does. */
  healthy(): boolean;
  /** Finishes what was begun, within seconds. */
  stop(): Promise<void>;
}
