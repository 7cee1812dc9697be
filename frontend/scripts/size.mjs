// Adds up what a page loads, as gzip sends it, and fails when a page for OBS grew past what it should carry.

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

/** Bytes of gzip per page: HTML, scripts and styles that load at once. */
const MOST = { "overlay/chat": 40_000, popout: 40_000, dashboard: 180_000, login: 60_000 };

const dist = new URL("../dist/", import.meta.url);

for (const [page, most] of Object.entries(MOST)) {
  const html = readFileSync(new URL(`pages/${page}/index.html`, dist), "utf8");
  const files = new Set([...html.matchAll(/"\/(assets\/[^"]+)"/g)].map((match) => match[1]));
  const sizes = [html, ...[...files].map((file) => readFileSync(new URL(file, dist)))].map((body) => gzipSync(body).length);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`${page}: ${(total / 1000).toFixed(1)} kB gzip of ${most / 1000} kB in ${sizes.length} files`);
  if (total > most) process.exitCode = 1;
}
