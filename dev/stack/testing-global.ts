import { startTestCluster } from './test-cluster.ts';

/** Vitest's globalSetup: one cluster for every file of the run, handed to the workers by the environment. */
export default async function setup(): Promise<() => Promise<void>> {
  if (process.env['EC_TEST_CLUSTER']) return async () => {};
  const { cluster, stop } = await startTestCluster();
  process.env['EC_TEST_CLUSTER'] = JSON.stringify(cluster);
  return async () => {
    delete process.env['EC_TEST_CLUSTER'];
    await stop();
  };
}
