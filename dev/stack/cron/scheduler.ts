import pg from 'pg';
import { messageOf } from '../failure.ts';
import { isDue, parseSchedule, type Schedule } from './schedule.ts';

interface Job {
  id: string;
  command: string;
  username: string;
  schedule: Schedule;
  lastStart: number;
  running: boolean;
}

export interface SchedulerOptions {
  /** The superuser, to read the jobs; jobs run as the role that scheduled them. */
  adminUrl: string;
  urlOf(role: string): string;
  log(message: string, more?: Record<string, unknown>): void;
}

/** A job that takes longer is ended, as hosted does. */
const JOB_LIMIT_MS = 10 * 60_000;
const TICK_MS = 500;
const KEEP_RUNS = `delete from cron.job_run_details where end_time < now() - interval '1 day'`;

/** Runs the rows of cron.job when they are due. A job that still runs is not started a second time. */
export async function startScheduler(options: SchedulerOptions): Promise<{ stop(): Promise<void> }> {
  const admin = new pg.Client({ connectionString: options.adminUrl, application_name: 'cron scheduler' });
  admin.on('error', () => {});
  await admin.connect();
  let jobs = new Map<string, Job>();
  const reload = async (): Promise<void> => {
    const { rows } = await admin.query<{
      jobid: string;
      schedule: string;
      command: string;
      username: string;
    }>('select jobid, schedule, command, username from cron.job where active order by jobid');
    const next = new Map<string, Job>();
    for (const row of rows) {
      const known = jobs.get(row.jobid);
      try {
        const schedule = parseSchedule(row.schedule);
        const job = { id: row.jobid, command: row.command, username: row.username, schedule };
        next.set(
          row.jobid,
          known ? Object.assign(known, job) : { ...job, lastStart: Date.now(), running: false },
        );
      } catch (error) {
        options.log('schedule not understood', { job: row.jobid, error: messageOf(error) });
      }
    }
    jobs = next;
  };
  admin.on('notification', () => void reload().catch(() => {}));
  await admin.query('listen cron_jobs');
  await reload();
  const pools = new Map<string, pg.Pool>();
  const poolOf = (role: string): pg.Pool => {
    const pool =
      pools.get(role) ??
      new pg.Pool({ connectionString: options.urlOf(role), max: 8, application_name: 'cron' });
    if (!pools.has(role)) pool.on('error', () => {});
    pools.set(role, pool);
    return pool;
  };
  const active = new Set<Promise<void>>();
  let minute = Math.floor(Date.now() / 60_000);
  const tick = (): void => {
    const now = Date.now();
    const newMinute = Math.floor(now / 60_000) > minute;
    if (newMinute) minute = Math.floor(now / 60_000);
    for (const job of jobs.values()) {
      const due =
        job.schedule.kind === 'interval'
          ? now - job.lastStart >= job.schedule.seconds * 1000
          : newMinute && isDue(job.schedule, new Date(now));
      if (!due || job.running) continue;
      job.lastStart = now;
      job.running = true;
      const run = runJob(poolOf(job.username), admin, job, options.log).finally(() => {
        job.running = false;
        active.delete(run);
      });
      active.add(run);
    }
  };
  const timer = setInterval(tick, TICK_MS);
  const purge = setInterval(() => void admin.query(KEEP_RUNS).catch(() => {}), 3600_000);
  return {
    async stop() {
      clearInterval(timer);
      clearInterval(purge);
      await Promise.race([Promise.all(active), new Promise((resolve) => setTimeout(resolve, 1500))]);
      await Promise.all([...pools.values()].map((pool) => Promise.race([pool.end(), delay(500)])));
      await admin.end().catch(() => {});
    },
  };
}

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function runJob(
  pool: pg.Pool,
  admin: pg.Client,
  job: Job,
  log: SchedulerOptions['log'],
): Promise<void> {
  const startedAt = new Date();
  let status = 'succeeded';
  let message = '';
  try {
    const client = await pool.connect();
    try {
      await client.query(`set statement_timeout = ${JOB_LIMIT_MS}`);
      const result: pg.QueryResult | pg.QueryResult[] = await client.query(job.command);
      const last = Array.isArray(result) ? result.at(-1) : result;
      message = `${last?.command ?? ''} ${last?.rowCount ?? 0}`.trim();
    } finally {
      client.release();
    }
  } catch (error) {
    status = 'failed';
    message = messageOf(error);
    log('job failed', { job: job.id, command: job.command, error: message });
  }
  await admin
    .query(
      `insert into cron.job_run_details (jobid, database, username, command, status, return_message, start_time, end_time)
       values ($1, current_database(), $2, $3, $4, $5, $6, now())`,
      [job.id, job.username, job.command, status, message, startedAt],
    )
    .catch(() => {});
}
