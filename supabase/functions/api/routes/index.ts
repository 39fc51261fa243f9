import type { Route } from '../http/route.ts';
import { accountRoutes } from './account.ts';
import { bulkRoutes } from './bulk.ts';
import { claimRoutes } from './claims.ts';
import { controlRoutes } from './control.ts';
import { credentialRoutes } from './credentials.ts';
import { deviceDoorRoutes } from './device-door.ts';
import { diagnosticsRoutes } from './diagnostics.ts';
import { deviceFilterRoutes } from './device-filters.ts';
import { deviceRoutes } from './devices.ts';
import { firmwareRoutes } from './firmware.ts';
import { invitationRoutes } from './invitations.ts';
import { keyRoutes } from './keys.ts';
import { locationRoutes } from './locations.ts';
import { memberRoutes } from './members.ts';
import { notificationRoutes } from './notifications.ts';
import { orgRoutes } from './orgs.ts';
import { otaRoutes } from './ota.ts';
import { partnerRoutes } from './partners.ts';
import { recordRoutes } from './records.ts';
import { registerRoutes } from './register.ts';
import { roomRoutes } from './rooms.ts';
import { telemetryRoutes } from './telemetry.ts';

/** Fixed paths stand before those with parameters. */
export const routes: Route[] = [
  ...registerRoutes,
  ...deviceRoutes,
  ...deviceFilterRoutes,
  ...deviceDoorRoutes,
  ...controlRoutes,
  ...firmwareRoutes,
  ...otaRoutes,
  ...claimRoutes,
  ...bulkRoutes,
  ...telemetryRoutes,
  ...diagnosticsRoutes,
  ...roomRoutes,
  ...credentialRoutes,
  ...orgRoutes,
  ...locationRoutes,
  ...keyRoutes,
  ...invitationRoutes,
  ...memberRoutes,
  ...recordRoutes,
  ...notificationRoutes,
  ...partnerRoutes,
  ...accountRoutes,
];
