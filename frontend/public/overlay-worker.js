// Keeps the overlay's page and its files in the browser, so that OBS shows an empty overlay instead of an error page
// when it starts before the server; the page then waits for the server by itself. No chat is kept here.

const CACHE = "overlay-shell";

/** A server that has not answered by then is treated as away. Milliseconds. */
const PATIENCE = 4000;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

// A page that was loaded before this worker existed asks to be kept.
self.addEventListener("message", (event) => {
  if (typeof event.data === "string" && event.data.startsWith("/overlay/")) {
    event.waitUntil(fetch(event.data).then((response) => keep(event.data, response)));
  }
});

self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== self.location.origin) return;
  if (event.request.mode === "navigate") event.respondWith(page(event, pathname));
  else if (pathname.startsWith("/assets/")) event.respondWith(asset(event.request));
});

/** The server's page while it answers, else the kept one. The query stays with the browser, which reads it there. */
async function page(event, pathname) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), PATIENCE);
  try {
    const response = await fetch(event.request, { signal: controller.signal });
    if (response.status < 500) {
      event.waitUntil(keep(pathname, response.clone()));
      return response;
    }
    return (await kept(pathname)) || response;
  } catch (error) {
    const shell = await kept(pathname);
    if (shell) return shell;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Asset names change with their content, so a kept one never goes stale. */
async function asset(request) {
  return (await kept(new URL(request.url).pathname)) || fetch(request);
}

async function kept(pathname) {
  return (await caches.open(CACHE)).match(pathname);
}

async function keep(pathname, response) {
  if (!response.ok || response.redirected) return;
  const cache = await caches.open(CACHE);
  const files = named(await response.clone().text());
  for (const file of files) {
    if (!(await cache.match(file))) await cache.add(file);
  }
  await cache.put(pathname, response);
  await forgetUnused(cache);
}

/** A new build leaves old files behind: those that no kept page names go. */
async function forgetUnused(cache) {
  const requests = await cache.keys();
  const isAsset = (request) => new URL(request.url).pathname.startsWith("/assets/");
  const used = new Set();
  for (const request of requests.filter((request) => !isAsset(request))) {
    const shell = await cache.match(request);
    for (const file of named(await shell.text())) used.add(file);
  }
  for (const request of requests.filter(isAsset)) {
    if (!used.has(new URL(request.url).pathname)) await cache.delete(request);
  }
}

function named(html) {
  return Array.from(html.matchAll(/"(\/assets\/[^"]+)"/g), (match) => match[1]);
}
