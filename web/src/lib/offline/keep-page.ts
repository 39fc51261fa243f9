/**
 * Keeps the present page on this device, with what it needs to run, so that it opens without a network as it was.
 * Only for a tenant's room: it is looked at in corridors and cellars, and holds nothing but that room's climate.
 * Returns the function that stops noticing what else the page loads. Does nothing where browsers have no worker.
 */
export function keepPage(): () => void {
  const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!workers) return () => {};
  const seen = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const tell = async (): Promise<void> => {
    await workers.register('/service-worker.js', { type: 'module' });
    const worker = (await workers.ready).active;
    worker?.postMessage({ keep: [...seen] });
  };
  // Chunks arrive one after the other: they are told together, and failing to keep them costs nothing.
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void tell().catch(() => undefined), SETTLED_MS);
  };
  const observer = new PerformanceObserver((list) => {
    for (const { name } of list.getEntries()) if (isOurs(name)) seen.add(name);
    soon();
  });
  observer.observe({ type: 'resource', buffered: true });
  soon();
  return () => {
    clearTimeout(timer);
    observer.disconnect();
  };
}

/** What was kept is removed: they moved out. */
export function forgetPage(): void {
  const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  workers?.controller?.postMessage({ forget: true });
}

const SETTLED_MS = 1000;

function isOurs(address: string): boolean {
  const { origin, pathname } = new URL(address);
  return (
    origin === location.origin && (pathname.startsWith('/_app/immutable/') || pathname === '/favicon.svg')
  );
}
