import { Worker } from 'node:worker_threads';

export interface HistoryOutcome {
  /** Readings written; 0 when the history was there already. */
  readings: number;
  ms: number;
}

export interface HistoryJob {
  dbUrl: string;
  /** Epoch ms up to which the past is written: the moment the devices went live. */
  until: number;
}

/**
 * Writes two weeks of history in a thread of its own: it is a second of pure computing, and the process it
 * starts from is the broker and the gateway of the local stack. Rejects when the database refuses.
 */
export function fillHistory(job: HistoryJob, signal: AbortSignal): Promise<HistoryOutcome> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./history-worker.ts', import.meta.url), { workerData: job });
    const abort = () => void worker.terminate();
    signal.addEventListener('abort', abort, { once: true });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => {
      signal.removeEventListener('abort', abort);
      reject(new Error('stopped before the history was complete'));
    });
  });
}
