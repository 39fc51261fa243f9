import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';

/** PEM files of this data folder's own certificate authority and the server certificate it signed. */
export interface Tls {
  certFile: string;
  keyFile: string;
  caFile: string;
  /** The authority's certificate, PEM: what a device needs to trust the broker. */
  ca: string;
}

const YEAR_MS = 365 * 24 * 3600_000;

/** Made once and kept, so that a device or script that trusts the CA still does after a restart. */
export async function ensureTls(dataDir: string): Promise<Tls> {
  const folder = join(dataDir, 'tls');
  mkdirSync(folder, { recursive: true });
  const files = {
    certFile: join(folder, 'server.crt'),
    keyFile: join(folder, 'server.key'),
    caFile: join(folder, 'ca.crt'),
  };
  if (!isUsable(files)) await makeCertificates(files);
  return { ...files, ca: readFileSync(files.caFile, 'utf8') };
}

function isUsable(files: Omit<Tls, 'ca'>): boolean {
  if (!Object.values(files).every((file) => existsSync(file))) return false;
  const ends = new X509Certificate(readFileSync(files.certFile)).validToDate.getTime();
  return ends - Date.now() > YEAR_MS / 12;
}

async function makeCertificates(files: Omit<Tls, 'ca'>): Promise<void> {
  // Some clocks of small devices run behind.
  const from = new Date(Date.now() - 24 * 3600_000);
  const common = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256', notBeforeDate: from } as const;
  const ca = await generate([{ name: 'commonName', value: 'EdgeConductor local CA' }], {
    ...common,
    notAfterDate: new Date(from.getTime() + 10 * YEAR_MS),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: 'commonName', value: 'localhost' }], {
    ...common,
    notAfterDate: new Date(from.getTime() + 2 * YEAR_MS),
    ca: { key: ca.private, cert: ca.cert },
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 2, value: hostname() },
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: '::1' },
        ],
      },
    ],
  });
  writeFileSync(files.caFile, ca.cert, { mode: 0o644 });
  writeFileSync(files.certFile, server.cert, { mode: 0o644 });
  writeFileSync(files.keyFile, server.private, { mode: 0o600 });
}
