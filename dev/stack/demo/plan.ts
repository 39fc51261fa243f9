import type { ClimateNodeSpec, Faults, TrackerSpec } from '../../../cli/src/simulate/index.ts';

/**
 * The demo, as data: one partner, two customers in Hamburg, their rooms, people and devices. Everything is
 * found again by slug, path, e-mail or serial, so seeding twice changes nothing.
 */
export const ZONE = 'Europe/Berlin';
export const PASSWORD = 'edge-demo-2026';
export const PARTNER = { name: 'Northwind Integrators', slug: 'northwind-integrators', plan: 'enterprise' };

export type OrgSlug = 'acme-manufacturing' | 'harbour-hotel';

export interface Place {
  type: 'site' | 'building' | 'floor' | 'room';
  name: string;
  parts?: Place[];
}

export interface DemoOrg {
  slug: OrgSlug;
  name: string;
  plan: 'pro' | 'business';
  places: Place[];
}

const rooms = (...names: string[]): Place[] => names.map((name) => ({ type: 'room', name }));

export const ORGS: DemoOrg[] = [
  {
    slug: 'acme-manufacturing',
    name: 'Acme Manufacturing',
    plan: 'business',
    places: [
      {
        type: 'site',
        name: 'Billbrook plant',
        parts: [
          {
            type: 'building',
            name: 'Hall A',
            parts: [
              {
                type: 'floor',
                name: 'Ground floor',
                parts: rooms('Assembly', 'Machining', 'Spare parts', 'Server room'),
              },
            ],
          },
          {
            type: 'building',
            name: 'Office wing',
            parts: [
              { type: 'floor', name: 'Ground floor', parts: rooms('Reception', 'Canteen', 'Training room') },
              {
                type: 'floor',
                name: '1st floor',
                parts: rooms(
                  'Engineering',
                  'Sales',
                  'Accounting',
                  'Meeting room Elbe',
                  'Meeting room Alster',
                ),
              },
            ],
          },
          { type: 'building', name: 'Depot', parts: rooms('Vehicle fleet') },
        ],
      },
    ],
  },
  {
    slug: 'harbour-hotel',
    name: 'Harbour Hotel',
    plan: 'pro',
    places: [
      {
        type: 'site',
        name: 'Baumwall',
        parts: [
          {
            type: 'building',
            name: 'Main house',
            parts: [
              { type: 'floor', name: 'Ground floor', parts: rooms('Lobby', 'Restaurant', 'Spa', 'Shuttle') },
              { type: 'floor', name: '1st floor', parts: rooms('Room 101', 'Room 102', 'Room 103') },
              {
                type: 'floor',
                name: '2nd floor',
                parts: rooms('Room 201', 'Room 202', 'Residence 204'),
              },
            ],
          },
        ],
      },
    ],
  },
];

export interface Person {
  email: string;
  name: string;
  role: 'partner' | 'org_admin' | 'operator' | 'viewer' | 'customer' | 'tenant';
  org?: OrgSlug;
  room?: string;
}

/** Whose session registers the devices of an org: its own administrator's. */
export const REGISTRAR: Record<OrgSlug, string> = {
  'acme-manufacturing': 'org@example.com',
  'harbour-hotel': 'hotel@example.com',
};

export const PEOPLE: Person[] = [
  { email: 'partner@example.com', name: 'Nora Winter', role: 'partner' },
  { email: 'org@example.com', name: 'Olaf Renner', role: 'org_admin', org: 'acme-manufacturing' },
  { email: 'operator@example.com', name: 'Olivia Petersen', role: 'operator', org: 'acme-manufacturing' },
  { email: 'viewer@example.com', name: 'Viktor Lang', role: 'viewer', org: 'acme-manufacturing' },
  { email: 'customer@example.com', name: 'Carla Mertens', role: 'customer', org: 'acme-manufacturing' },
  { email: 'hotel@example.com', name: 'Henrike Voss', role: 'org_admin', org: 'harbour-hotel' },
  {
    email: 'tenant@example.com',
    name: 'Tom Lindqvist',
    role: 'tenant',
    org: 'harbour-hotel',
    room: 'Residence 204',
  },
];

export interface DemoDevice {
  serial: string;
  org: OrgSlug;
  room: string;
  name: string;
  tags?: string[];
  /** E-mail of the customer it stands with. */
  customer?: string;
  climate?: Omit<ClimateNodeSpec, 'serial' | 'zone'>;
  tracker?: Omit<TrackerSpec, 'serial' | 'zone'>;
  faults?: Faults;
  /** Registered and never switched on. */
  unused?: boolean;
  /** Went silent so many hours before the demo was seeded, and stays silent. */
  silentForH?: number;
}

const node = (
  serial: string,
  org: OrgSlug,
  room: string,
  kind: ClimateNodeSpec['room'],
  more: Partial<DemoDevice> & { board?: Partial<ClimateNodeSpec> } = {},
): DemoDevice => {
  const { board, ...rest } = more;
  return { serial, org, room, name: `${room} climate`, climate: { room: kind, ...board }, ...rest };
};

const gsm = (
  serial: string,
  org: OrgSlug,
  name: string,
  plan: TrackerSpec['plan'],
  more: Partial<DemoDevice> & { unit?: Partial<TrackerSpec> } = {},
): DemoDevice => {
  const { unit, ...rest } = more;
  const room = org === 'harbour-hotel' ? 'Shuttle' : 'Vehicle fleet';
  return { serial, org, room, name, tracker: { plan, ...unit }, tags: ['vehicle'], ...rest };
};

const ACME: OrgSlug = 'acme-manufacturing';
const HOTEL: OrgSlug = 'harbour-hotel';

export const DEVICES: DemoDevice[] = [
  node('EC-CLM-ACME01', ACME, 'Assembly', 'workshop', { name: 'Assembly, line 1' }),
  node('EC-CLM-ACME02', ACME, 'Assembly', 'workshop', { name: 'Assembly, line 2' }),
  node('EC-CLM-ACME03', ACME, 'Machining', 'workshop', { board: { fwVersion: '1.1.4', leak: 260 } }),
  node('EC-CLM-ACME04', ACME, 'Spare parts', 'store', {
    ...{ tags: ['battery'], board: { supply: 'weak' } },
    // At the end of the radio's reach: images arrive broken.
    faults: { corruptDownload: true },
  }),
  node('EC-CLM-ACME05', ACME, 'Server room', 'server', { tags: ['critical'] }),
  node('EC-CLM-ACME06', ACME, 'Reception', 'lobby'),
  node('EC-CLM-ACME07', ACME, 'Canteen', 'canteen'),
  node('EC-CLM-ACME08', ACME, 'Training room', 'meeting', { silentForH: 26 }),
  node('EC-CLM-ACME09', ACME, 'Engineering', 'office', { name: 'Engineering, window side' }),
  node('EC-CLM-ACME10', ACME, 'Engineering', 'office', { name: 'Engineering, corridor side' }),
  node('EC-CLM-ACME11', ACME, 'Sales', 'office', { faults: { garble: 0.012 } }),
  node('EC-CLM-ACME12', ACME, 'Accounting', 'office', { board: { supply: 'cell' }, tags: ['battery'] }),
  node('EC-CLM-ACME13', ACME, 'Meeting room Elbe', 'meeting'),
  node('EC-CLM-ACME14', ACME, 'Meeting room Alster', 'meeting', { customer: 'customer@example.com' }),
  node('EC-CLM-ACME15', ACME, 'Meeting room Alster', 'meeting', { name: 'Spare node', unused: true }),
  node('EC-CLM-HOTEL01', HOTEL, 'Lobby', 'lobby'),
  node('EC-CLM-HOTEL02', HOTEL, 'Restaurant', 'restaurant'),
  node('EC-CLM-HOTEL03', HOTEL, 'Spa', 'spa'),
  node('EC-CLM-HOTEL04', HOTEL, 'Room 101', 'guest', { board: { supply: 'cell' } }),
  node('EC-CLM-HOTEL05', HOTEL, 'Room 102', 'guest', {
    board: { supply: 'cell' },
    faults: { flapEveryS: 1_800 },
  }),
  node('EC-CLM-HOTEL06', HOTEL, 'Room 103', 'guest', { board: { supply: 'cell' } }),
  node('EC-CLM-HOTEL07', HOTEL, 'Room 201', 'guest'),
  node('EC-CLM-HOTEL08', HOTEL, 'Room 202', 'guest', { board: { fwVersion: '1.1.4' } }),
  node('EC-CLM-HOTEL09', HOTEL, 'Residence 204', 'guest'),
  gsm('EC-TRK-ACME01', ACME, 'Van HH-AM 101', 'van'),
  gsm('EC-TRK-ACME02', ACME, 'Van HH-AM 102', 'van', { customer: 'customer@example.com' }),
  gsm('EC-TRK-ACME03', ACME, 'Truck HH-AM 210', 'truck'),
  gsm('EC-TRK-ACME04', ACME, 'Trailer HH-AM 77', 'saturday', { unit: { worn: true, fwVersion: '2.0.9' } }),
  gsm('EC-TRK-HOTEL01', HOTEL, 'Shuttle bus', 'shuttle'),
  gsm('EC-TRK-HOTEL02', HOTEL, 'Night shuttle', 'shuttle'),
];

export function productType(device: DemoDevice): 'EC-CLIMATE-V1' | 'tracker' {
  return device.tracker ? 'tracker' : 'EC-CLIMATE-V1';
}
