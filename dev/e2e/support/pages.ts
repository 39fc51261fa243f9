import { newTag, newVersion, startJob, uploadImage } from './board.ts';
import { callApi, registerDevice } from './device.ts';
import { demoDevice } from './demo.ts';
import { linkFor } from './mail.ts';
import { newAddress, newRoom, orgOf } from './newcomers.ts';
import { people, type Role } from './people.ts';

export interface Place {
  /** Undefined for somebody who has not signed in. */
  role: Role | undefined;
  path: string;
}

interface Named {
  id: string;
  name: string;
}

/** Every page there is, with somebody who may see it. Filled devices and rooms come from the demo. */
export async function places(): Promise<Place[]> {
  const as = (role: Place['role'], paths: string[]): Place[] => paths.map((path) => ({ role, path }));
  const device = `/org/devices/${await demoDevice()}`;
  const org = await orgOf(people.org_admin);
  const [room] = await callApi<Named[]>(people.org_admin, 'GET', `/orgs/${org}/rooms`);
  const [partner] = await callApi<Named[]>(people.admin, 'GET', '/partners');
  const own = await customersDevice();
  const job = `/org/firmware/jobs/${await aJob()}`;
  return [
    ...as('org_admin', [
      ...['/org', '/org/devices', '/org/devices?q=no-such-device', '/org/devices/import', '/org/refused'],
      ...['', '/controls', '/history', '/diagnostics', '/firmware', '/events', '/settings', '/label'].map(
        (section) => device + section,
      ),
      ...['/org/rooms', `/org/rooms/${room!.id}`, '/org/rooms/print', `/org/rooms/print?ids=${room!.id}`],
      ...['general', 'members', 'locations', 'keys', 'provisioning', 'audit', 'danger'].map(settings),
      ...['/org/firmware', '/org/firmware?all', '/org/firmware/jobs', '/org/firmware/jobs?state=scheduled'],
      ...['/org/firmware/jobs/new?type=EC-CLIMATE-V1', job, `${job}?show=failed`],
      '/account',
    ]),
    ...as('viewer', [
      ...['/org/firmware', '/org/firmware/jobs', '/org/firmware/jobs/new', job],
      ...['general', 'members', 'locations', 'keys', 'audit', 'danger'].map(settings),
      `/org/rooms/${room!.id}`,
      `${device}/controls`,
    ]),
    ...as('admin', ['/', '/?tab=partners', '/?tab=devices', '/?tab=users', `/partners/${partner!.id}`]),
    ...as('partner', ['/partner', `/partner/orgs/${org}`]),
    ...as('customer', ['/portal', `/portal/devices/${own}`, `/claim/done?serial=${own}`]),
    ...as('tenant', ['/portal/room', '/account']),
    ...as(undefined, ['/sign-in', '/sign-in?way=code', '/sign-in/reset', '/claim', '/claim-room', '/invite']),
    ...as(undefined, await openedByCodes()),
  ];
}

const settings = (page: string): string => `/org/settings/${page}`;

/** A job in two stages that waits for a device nobody will switch on. */
async function aJob(): Promise<string> {
  const tag = newTag();
  const firmware = await uploadImage({ version: newVersion(), project: 'every-page' });
  for (let n = 0; n < 2; n++) {
    const { serial } = await registerDevice(people.org_admin);
    await callApi(people.org_admin, 'PATCH', `/devices/${serial}`, { tags: [tag] });
  }
  return startJob(firmware, tag, { stages: [{ count: 1, soak_s: 600 }, { percent: 100 }] });
}

async function customersDevice(): Promise<string> {
  const [found] = await callApi<{ serial_no: string }[]>(people.customer, 'GET', '/devices?status=online');
  if (!found) throw new Error('The demo has no online device of the customer.');
  return found.serial_no;
}

/** What a label, a sheet and a mail open: before anybody signs in, and when the code is good for nothing. */
async function openedByCodes(): Promise<string[]> {
  const { claimPath } = await registerDevice(people.org_admin);
  const room = await newRoom('Page');
  const email = newAddress('page');
  const org = await orgOf(people.org_admin);
  await callApi(people.org_admin, 'POST', `/orgs/${org}/invitations`, { email, role: 'operator' });
  return [
    ...[claimPath!, room.claimPath, await linkFor(email, '/invite')],
    '/claim?serial=NO-SUCH-DEVICE&code=never-issued',
    `/claim-room?room_id=${room.id}&code=WRONGC0DE`,
    `/invite?token=${'x'.repeat(43)}`,
  ];
}
