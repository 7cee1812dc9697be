// The browsers: the system's Chromium, and version 103, which OBS 28 to 30 carry.

import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { brotliDecompressSync } from "node:zlib";

export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Nothing that would reach for the network by itself; no sandbox, which root may not have. */
export const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const PACKAGE = "@sparticuz/chromium@103";
const folder = resolve(import.meta.dirname, "../../frontend/node_modules/.cache/chromium103");

/** The path of Chromium 103, fetched from npm the first time; or why there is none here. */
export function chromium103(): { path: string } | { missing: string } {
  const path = resolve(folder, "chromium");
  try {
    if (!existsSync(path)) fetchInto(path);
    execFileSync(path, ["--version", "--no-sandbox"], { stdio: "ignore", timeout: 20_000 });
    return { path };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { missing: `Chromium 103 does not run here: ${why.split("\n")[0]}` };
  }
}

/** Says that something was not tested here, aloud and again at the end of `make test`. */
export function skipped(why: string) {
  const notice = `SKIPPED: ${why}\n`;
  process.stderr.write(notice);
  if (process.env.TESTS_SKIPPED) appendFileSync(process.env.TESTS_SKIPPED, notice);
}

function fetchInto(path: string) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(resolve(folder, "package.json"), "{}");
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--omit-lockfile-registry-resolved"];
  execFileSync("npm", ["install", ...flags, PACKAGE], { cwd: folder, stdio: "ignore", timeout: 120_000 });
  const packed = readFileSync(resolve(folder, "node_modules/@sparticuz/chromium/bin/chromium.br"));
  // Under its name only when it is whole: a run that is interrupted here must not spoil the next.
  writeFileSync(`${path}.part`, brotliDecompressSync(packed), { mode: 0o755 });
  renameSync(`${path}.part`, path);
}
