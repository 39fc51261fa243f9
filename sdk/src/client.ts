import type { Me, MePatch } from './contract/member.ts';
import { Transport } from './request.ts';
import type { ClientOptions, RequestOptions } from './request.ts';
import { confirmSignIn, countSignIn, ProductTypes, updateMe, whoAmI } from './resources/account.ts';
import { Claims } from './resources/claims.ts';
import { Commands } from './resources/commands.ts';
import { Credentials } from './resources/credentials.ts';
import { DeviceFilters } from './resources/device-filters.ts';
import { Devices } from './resources/devices.ts';
import { Firmware } from './resources/firmware.ts';
import { ApiKeys, ProvisioningKeys } from './resources/keys.ts';
import { Live } from './resources/live.ts';
import { Notifications } from './resources/notifications.ts';
import { Locations, Orgs } from './resources/orgs.ts';
import { OtaJobs } from './resources/ota-jobs.ts';
import { Partners } from './resources/partners.ts';
import { Invitations, Members, Users } from './resources/people.ts';
import { Audit, DeadLetters } from './resources/records.ts';
import { RoomClaims, Rooms } from './resources/rooms.ts';
import { Telemetry } from './resources/telemetry.ts';

/**
 * Client of the EdgeConductor API, for Node 22+, Deno and browsers.
 *
 * @example
 * const ec = new EdgeConductor({ apiKey: 'ec_live_…', baseUrl: 'https://example.com/api' });
 * for await (const device of ec.devices.list({ status: 'online' })) console.log(device.serial_no);
 */
export class EdgeConductor {
  readonly devices: Devices;
  readonly deviceFilters: DeviceFilters;
  readonly commands: Commands;
  readonly firmware: Firmware;
  readonly otaJobs: OtaJobs;
  readonly credentials: Credentials;
  readonly telemetry: Telemetry;
  readonly claims: Claims;
  readonly orgs: Orgs;
  readonly locations: Locations;
  readonly rooms: Rooms;
  readonly roomClaims: RoomClaims;
  readonly partners: Partners;
  readonly invitations: Invitations;
  readonly members: Members;
  readonly users: Users;
  readonly apiKeys: ApiKeys;
  readonly provisioningKeys: ProvisioningKeys;
  readonly audit: Audit;
  readonly deadLetters: DeadLetters;
  readonly notifications: Notifications;
  readonly productTypes: ProductTypes;
  readonly live: Live;
  readonly #transport: Transport;

  constructor(options: ClientOptions) {
    const transport = new Transport(options);
    this.#transport = transport;
    this.devices = new Devices(transport);
    this.deviceFilters = new DeviceFilters(transport);
    this.commands = new Commands(transport);
    this.firmware = new Firmware(transport);
    this.otaJobs = new OtaJobs(transport);
    this.credentials = new Credentials(transport);
    this.telemetry = new Telemetry(transport);
    this.claims = new Claims(transport);
    this.orgs = new Orgs(transport);
    this.locations = new Locations(transport);
    this.rooms = new Rooms(transport);
    this.roomClaims = new RoomClaims(transport);
    this.partners = new Partners(transport);
    this.invitations = new Invitations(transport);
    this.members = new Members(transport);
    this.users = new Users(transport);
    this.apiKeys = new ApiKeys(transport);
    this.provisioningKeys = new ProvisioningKeys(transport);
    this.audit = new Audit(transport);
    this.deadLetters = new DeadLetters(transport);
    this.notifications = new Notifications(transport);
    this.productTypes = new ProductTypes(transport);
    this.live = new Live(transport);
  }

  /** Who this credential is, and its live memberships. */
  me(options?: RequestOptions): Promise<Me> {
    return whoAmI(this.#transport, options);
  }

  /** The person's own name and preferences; null in `preferences` removes a key. */
  updateMe(patch: MePatch, options?: RequestOptions): Promise<Me> {
    return updateMe(this.#transport, patch, options);
  }

  /** Counts a sign-in before it is tried; needs no credential. @throws RateLimitError after too many */
  signInAttempt(email: string, options?: RequestOptions): Promise<void> {
    return countSignIn(this.#transport, email, options);
  }

  /** The counted try was right: with the new access token, its turn comes back, once a session. */
  signInSuccess(email: string, options?: RequestOptions): Promise<void> {
    return confirmSignIn(this.#transport, email, options);
  }
}
