/** Virtual devices on the real protocol: what `ec simulate` and the demo fleet are made of. */
export { MqttDoor, type MqttAccess } from './doors/mqtt-door.ts';
export { HttpsDoor, type HttpsAccess } from './doors/https-door.ts';
export type { CommandMessage, CommandReply } from './commands.ts';
export type { Door, DoorEvents } from './doors/door.ts';
export type { Faults } from './faults.ts';
export { Fleet } from './fleet.ts';
export { climateNode, type ClimateNodeSpec } from './profiles/climate-node.ts';
export type { Controls, Packet, Profile } from './profiles/profile.ts';
export { tracker, type TrackerSpec } from './profiles/tracker.ts';
export {
  VirtualDevice,
  type DeviceCounters,
  type DeviceEvent,
  type VirtualDeviceOptions,
} from './virtual-device.ts';
