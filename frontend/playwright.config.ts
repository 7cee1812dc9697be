// The browser tests, in the system's Chromium. Each test starts a server of its own, so they may run side by side.

import { defineConfig } from "@playwright/test";
import { CHROMIUM, FLAGS } from "../tests/e2e/chromium";

export default defineConfig({
  testDir: "../tests/e2e",
  outputDir: "test-results",
  workers: 2,
  fullyParallel: true,
  timeout: 45_000,
  expect: { timeout: 10_000 },
  reporter: "list",
  use: { launchOptions: { executablePath: CHROMIUM, args: FLAGS } },
});
