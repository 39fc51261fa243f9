import type { Context, Part } from '../context.ts';
import { prepareDatabase, setLoginPasswords, setVault } from '../database.ts';
import { migrate } from '../migrate.ts';
import { startPostgres } from '../postgres.ts';

/** Postgres with the shims and every migration of this checkout. */
export const db: Part = {
  needs: [],
  async start(context: Context) {
    const postgres = await startPostgres({
      dataDir: context.dataDir,
      port: context.ports.postgres,
      password: context.secrets.dbPassword,
      signal: context.signal,
    });
    if (postgres.moved) context.say(postgres.moved);
    try {
      await prepareDatabase(postgres, context.secrets);
      const count = await migrate(postgres.url('postgres'), context.logFile('migrate'), context.signal);
      if (count > 0) context.log('db', 'migrations applied', { count });
      await setLoginPasswords(postgres, context.secrets);
      const functions = `http://127.0.0.1:${context.ports.supabase}/functions/v1`;
      await setVault(postgres, {
        ...(context.has('api') && { ec_api_url: `${functions}/api` }),
        ...(context.has('worker') && {
          ec_worker_url: `${functions}/worker`,
          ec_worker_secret: context.secrets.workerSecret,
        }),
      });
    } catch (error) {
      await postgres.stop();
      throw error;
    }
    context.postgres = postgres;
    let stopping = false;
    void postgres.child.exited.then(() => {
      if (!stopping) context.fail(`Postgres ended unexpectedly: ${postgres.child.tail(3)}`);
    });
    return {
      stop() {
        stopping = true;
        return postgres.stop();
      },
    };
  },
};
