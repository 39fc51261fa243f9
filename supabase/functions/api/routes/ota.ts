/** Updates: jobs of many devices, the updates of one, and what devices say about theirs. */
import {
  DeviceOta,
  Id,
  OtaEvent,
  OtaJob,
  OtaJobCreate,
  OtaJobDevice,
  OtaJobDevicesQuery,
  OtaJobListQuery,
  OtaPreview,
  OtaPush,
  OtaRetry,
  OtaStatus,
  OtaStatusAccepted,
  OtaTimelineEntry,
  PageQuery,
  Serial,
} from '@edgeconductor/sdk/contract';
import { z } from 'zod';
import { pageReply } from '../http/page-reply.ts';
import { route, STAFF } from '../http/route.ts';
import * as executions from '../services/ota-executions.ts';
import * as jobs from '../services/ota-jobs.ts';
import { IdParams, SerialParams } from './params.ts';

const readers = { roles: STAFF, api_key: ['read'] } as const;
const updaters = { roles: STAFF, api_key: ['ota'] } as const;
const tag = 'Update jobs';
/** Ten thousand serial numbers of 64 characters. */
const MAX_JOB_BYTES = 1024 * 1024;

const steps = (['pause', 'resume', 'abort'] as const).map((step) =>
  route({
    method: 'post',
    path: `/ota-jobs/{id}/${step}`,
    who: updaters,
    tag,
    summary: {
      pause: 'Tell nobody else; those who are at it go on',
      resume: 'Go on with a paused job',
      abort: 'End it for all who were not told yet; those who are at it go on',
    }[step],
    params: IdParams,
    replies: { 200: OtaJob },
    handle: ({ db, params }) => jobs.stepJob(db, params.id, step),
  }),
);

export const otaRoutes = [
  route({
    method: 'post',
    path: '/orgs/{id}/ota-jobs/preview',
    who: updaters,
    tag,
    summary: 'Who a job would update in which stage, who not, and why',
    params: IdParams,
    body: OtaJobCreate,
    maxBytes: MAX_JOB_BYTES,
    replies: { 200: OtaPreview },
    handle: ({ db, params, body }) => jobs.previewJob(db, params.id, body),
  }),
  route({
    method: 'post',
    path: '/orgs/{id}/ota-jobs',
    who: updaters,
    tag,
    summary: 'Update many devices, in stages. Its list is fixed now; 422 when nobody would get it',
    params: IdParams,
    body: OtaJobCreate,
    maxBytes: MAX_JOB_BYTES,
    replies: { 201: OtaJob },
    handle: ({ db, params, body }) => jobs.createJob(db, params.id, body),
  }),
  route({
    method: 'get',
    path: '/orgs/{id}/ota-jobs',
    who: readers,
    tag,
    summary:
      'Jobs, newest first. Failures, counts by stage and all serials of a list are with the single job',
    params: IdParams,
    query: OtaJobListQuery,
    replies: { 200: z.array(OtaJob) },
    handle: async ({ db, params, query, request }) =>
      pageReply(await jobs.listJobs(db, params.id, query), request.url),
  }),
  route({
    method: 'get',
    path: '/ota-jobs/{id}',
    who: readers,
    tag,
    summary: 'A job: its stages, its counts, and what went wrong',
    params: IdParams,
    replies: { 200: OtaJob },
    handle: ({ db, params }) => jobs.getJob(db, params.id),
  }),
  route({
    method: 'get',
    path: '/ota-jobs/{id}/devices',
    who: readers,
    tag,
    summary: 'Its devices, in the order in which they are updated',
    params: IdParams,
    query: OtaJobDevicesQuery,
    replies: { 200: z.array(OtaJobDevice) },
    handle: async ({ db, params, query, request }) =>
      pageReply(await executions.listJobDevices(db, params.id, query), request.url),
  }),
  route({
    method: 'get',
    path: '/ota-jobs/{id}/devices/{serial}/events',
    who: readers,
    tag,
    summary: 'What one of its devices went through, oldest first',
    params: z.object({ id: Id, serial: Serial }),
    replies: { 200: z.array(OtaEvent) },
    handle: ({ db, params }) => executions.listEvents(db, params.id, params.serial),
  }),
  route({
    method: 'get',
    path: '/ota-jobs/{id}/timeline',
    who: readers,
    tag,
    summary: 'What the job went through, oldest first',
    params: IdParams,
    replies: { 200: z.array(OtaTimelineEntry) },
    handle: ({ db, params }) => executions.listTimeline(db, params.id),
  }),
  ...steps,
  route({
    method: 'post',
    path: '/ota-jobs/{id}/retry',
    who: updaters,
    tag,
    summary: 'Try again with failed, timed out, rolled back and cancelled devices, or with those in `states`',
    params: IdParams,
    body: OtaRetry,
    replies: { 200: OtaJob },
    handle: ({ db, params, body }) => jobs.retryJob(db, params.id, body.states ?? null),
  }),
  route({
    method: 'get',
    path: '/devices/{serial}/ota',
    who: readers,
    tag,
    summary: 'All updates of a device, newest first',
    params: SerialParams,
    query: PageQuery,
    replies: { 200: z.array(DeviceOta) },
    handle: async ({ db, params, query, request }) =>
      pageReply(await executions.listDeviceOta(db, params.serial, query), request.url),
  }),
  route({
    method: 'post',
    path: '/devices/{serial}/ota',
    who: updaters,
    tag,
    summary: 'Update one device: a job with one device in it',
    params: SerialParams,
    body: OtaPush,
    replies: { 201: OtaJob },
    handle: ({ db, params, body }) => jobs.pushFirmware(db, params.serial, body),
  }),
  route({
    method: 'post',
    path: '/devices/{serial}/ota/status',
    who: { device: true },
    tag: 'Device routes',
    summary: 'Say how the update is getting on',
    params: SerialParams,
    body: OtaStatus,
    replies: { 200: OtaStatusAccepted },
    handle: ({ db, params, body }) => executions.reportOta(db, params.serial, body),
  }),
];
