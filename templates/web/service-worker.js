/* Where the net is gone: the shell (styles, scripts, the page that says what to do) from this browser, and nothing else.
   Pages and data are never stored; only what SHELL names is, and only when its answer may be. docs/adr/0010 says why. */
"use strict";
const CACHE = "changde-shell-{{ version }}";
const OFFLINE = "{{ offline }}";
const LOGOUT = "{{ logout }}";
const SHELL = new Set([OFFLINE, {% for address in shell %}"{{ address }}", {% endfor %}]);

const store = async (cache, address) => {
  const answer = await fetch(address, { cache: "no-cache", credentials: "omit" });
  if (!answer.ok || answer.redirected || /no-store|private/.test(answer.headers.get("Cache-Control") || "")) throw new Error(address);
  await cache.put(address, answer);
};
const clear = async (kept) => {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== kept).map((name) => caches.delete(name)));
};

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(CACHE).then((cache) => Promise.all([...SHELL].map((address) => store(cache, address)))));
});
self.addEventListener("activate", (event) => {
  event.waitUntil(clear(CACHE).then(() => self.clients.claim()));
});
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin) return;
  if (request.method === "POST" && pathname === LOGOUT) {
    event.waitUntil(clear().then(() => self.registration.unregister()));
    return;
  }
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(fetch(request).catch(async () => (await caches.match(OFFLINE)) || Response.error()));
  else if (SHELL.has(pathname)) event.respondWith(fetch(request).catch(async () => (await caches.match(pathname)) || Response.error()));
});
