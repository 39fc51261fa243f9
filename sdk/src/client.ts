import type { Me } from './contract/member.ts';
import { Transport } from './request.ts';
import type { ClientOptions, RequestOptions } from './request.ts';
import { ProductTypes, Rooms, whoAmI } from './resources/account.ts';
import { Credentials } from './resources/credentials.ts';
import { Devices } from './resources/devices.ts';
import { ApiKeys, ProvisioningKeys } from './resources/keys.ts';
import { Live } from './resources/live.ts';
import { Locations, Orgs } from './resources/orgs.ts';
import { Partners } from './resources/partners.ts';
import { Audit, DeadLetters } from './resources/records.ts';
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
  readonly credentials: Credentials;
  readonly telemetry: Telemetry;
  readonly orgs: Orgs;
  readonly locations: Locations;
  readonly rooms: Rooms;
  readonly partners: Partners;
  readonly apiKeys: ApiKeys;
  readonly provisioningKeys: ProvisioningKeys;
  readonly audit: Audit;
  readonly deadLetters: DeadLetters;
  readonly productTypes: ProductTypes;
  readonly live: Live;
  readonly #transport: Transport;

  constructor(options: ClientOptions) {
    const transport = new Transport(options);
    this.#transport = transport;
    this.devices = new Devices(transport);
    this.credentials = new Credentials(transport);
    this.telemetry = new Telemetry(transport);
    this.orgs = new Orgs(transport);
    this.locations = new Locations(transport);
    this.rooms = new Rooms(transport);
    this.partners = new Partners(transport);
    this.apiKeys = new ApiKeys(transport);
    this.provisioningKeys = new ProvisioningKeys(transport);
    this.audit = new Audit(transport);
    this.deadLetters = new DeadLetters(transport);
    this.productTypes = new ProductTypes(transport);
    this.live = new Live(transport);
  }

  /** Who this credential is, and its live memberships. */
  me(options?: RequestOptions): Promise<Me> {
    return whoAmI(this.#transport, options);
  }
}
