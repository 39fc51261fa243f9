import { self as worker } from '$app/service-worker';
import { answer, forget, keep } from './kept-room.ts';

// Registered by the room of a tenant only. It touches that page, the files the page said it needs, and signing out;
// everything else goes the usual way.
worker.addEventListener('install', () => void worker.skipWaiting());
worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()));

worker.addEventListener('fetch', (event) => {
  const reply = answer(event.request, worker.location.origin);
  if (reply) event.respondWith(reply);
});

worker.addEventListener('message', (event) => {
  const asked = event.data as { keep?: string[]; forget?: boolean };
  event.waitUntil(asked.forget ? forget() : keep(asked.keep ?? [], worker.location.origin));
});
