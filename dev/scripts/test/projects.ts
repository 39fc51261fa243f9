import { chromium, mosquitto, mosquittoPub, type Program } from './programs.ts';

export interface Project {
  /** Its name in vitest.config.ts. */
  name: string;
  what: string;
  needs: Program[];
  /** After this it is hung, and is stopped. */
  limitSeconds: number;
}

/** In the order they run: what fails fastest and explains most comes first. */
export const projects: Project[] = [
  { name: 'unit', what: 'plain functions, no services', needs: [], limitSeconds: 240 },
  { name: 'web', what: 'state and components of the web app', needs: [], limitSeconds: 240 },
  { name: 'db', what: 'SQL behaviour as real roles', needs: [], limitSeconds: 600 },
  { name: 'db15', what: 'the same on Postgres 15', needs: [], limitSeconds: 600 },
  { name: 'api', what: 'the REST surface over HTTP', needs: [], limitSeconds: 600 },
  { name: 'bridge', what: 'brokers, bridge, kill -9', needs: [mosquitto, mosquittoPub], limitSeconds: 900 },
  { name: 'stack', what: 'the whole system started and stopped', needs: [mosquitto], limitSeconds: 900 },
  {
    name: 'e2e',
    what: 'people in a browser, devices on the wire',
    needs: [chromium, mosquittoPub],
    limitSeconds: 2400,
  },
];
