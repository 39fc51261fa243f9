/** Virtual devices on the real protocol: what `ec simulate` and the demo fleet are made of. */
export { MqttDoor, type MqttAccess } from './doors/mqtt-door.ts';
export { HttpsDoor, type HttpsAccess } from './doors/https-door.ts';
export type { CommandMessage, CommandReply } from './commands.ts';
export type { Door, DoorEvents } from './doors/door.ts';
export type { Faults } from './faults.ts';
export { Flash, type FlashContent } from './updates/flash.ts';
export { CRASHES } from './updates/image.ts';
export type { UpdateOrder, UpdateReport } from './updates/order.ts';
export type { UpdateNews } from './updates/updater.ts';
export { Fleet } from './fleet.ts';
export { climateNode, type ClimateNodeSpec } from './profiles/climate-node.ts';
export type { Controls, Packet, Profile } from './profiles/profile.ts';
export { tracker, type TrackerSpec } from './profiles/tracker.ts';
export type { DeviceCounters, DeviceEvent, VirtualDeviceOptions } from './device-options.ts';
export { VirtualDevice } from './virtual-device.ts';
