/**
 * A job that is asked for while it runs runs once more afterwards, however often it was asked: what arrived meanwhile
 * is not left lying, and a burst of kicks is no burst of work. Callers wait for the run that began after they asked.
 */
export function onceAtATime<T>(job: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  let next: Promise<T> | undefined;
  const start = (): Promise<T> => {
    const run = job().finally(() => {
      if (running === run) running = undefined;
    });
    running = run;
    return run;
  };
  return () => {
    if (running === undefined) return start();
    next ??= running
      .catch(() => {})
      .then(() => {
        next = undefined;
        return start();
      });
    return next;
  };
}
