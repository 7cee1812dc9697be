/// <reference types="vitest/config" />
// Builds every folder of pages/ that has an index.html into dist/pages/<same path>, hashed files into dist/assets.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import { defineConfig, type Plugin } from "vite";

const root = import.meta.dirname;
const pages = filesUnder(resolve(root, "pages")).filter((file) => file.endsWith("/index.html"));

/** Where `npm run dev` finds a running server. */
const server = process.env.ELORA_DEV_SERVER ?? "http://127.0.0.1:8080";

export default defineConfig({
  root,
  appType: "mpa",
  plugins: [svelte(), svelteTesting(), pageAddresses(), compressed()],
  build: {
    // OBS 28 to 30 embed Chromium 103.
    target: "chrome103",
    cssTarget: "chrome103",
    modulePreload: { polyfill: false },
    // The content policy lets images come from us, so nothing is worth inlining.
    assetsInlineLimit: 0,
    rollupOptions: { input: Object.fromEntries(pages.map((file) => [dirname(file).split("/").at(-1), file])) },
  },
  server: {
    // The sign-in cookie is the server's, so the pages have to be on the same host.
    host: "127.0.0.1",
    proxy: Object.fromEntries(
      ["/api", "/ws"].map((path) => [path, { target: server, ws: true, changeOrigin: true, headers: { origin: server } }]),
    ),
  },
  test: { environment: "happy-dom", include: ["lib/**/*.test.ts", "pages/**/*.test.ts"] },
});

/** Gives the pages in `npm run dev` the addresses that the server gives them. */
function pageAddresses(): Plugin {
  const addresses: Record<string, string> = { "/": "/dashboard", "/login": "/login", "/overlay/chat": "/overlay/chat" };
  return {
    name: "page-addresses",
    configureServer(vite) {
      vite.middlewares.use((request, _response, next) => {
        const [path, query] = (request.url ?? "").split("?");
        const isPopout = path === "/" && new URLSearchParams(query).has("popout");
        const page = isPopout ? "/popout" : addresses[path ?? ""];
        if (page) request.url = `/pages${page}/index.html${query ? `?${query}` : ""}`;
        next();
      });
    },
  };
}

/** Lays a .br and a .gz beside every built text file, so that the server never compresses one. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    closeBundle() {
      for (const file of filesUnder(resolve(root, "dist"))) {
        if (!/\.(html|js|css|svg)$/.test(file)) continue;
        const bytes = readFileSync(file);
        writeFileSync(`${file}.br`, brotliCompressSync(bytes));
        writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
      }
    },
  };
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => resolve(entry.parentPath, entry.name));
}
