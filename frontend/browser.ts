// What the browser tests in tests/e2e take from this folder's packages.

import axe from "axe-core";

/** The script of axe, to be run in a page. */
export const AXE = axe.source;

export { WebSocketServer, type WebSocket } from "ws";
export { chromium, expect, test, type Browser, type Locator, type Page } from "@playwright/test";
