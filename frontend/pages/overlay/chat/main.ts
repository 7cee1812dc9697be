import { mount } from "svelte";
import "../../../lib/theme.css";
import "./overlay.css";
import Page from "./Page.svelte";

mount(Page, { target: document.getElementById("page")! });
keepShell();

/** From the second start on, OBS may come up before the server: the worker then gives it this page. */
function keepShell() {
  // Browsers give workers to https and to this machine only.
  if (!("serviceWorker" in navigator)) return;
  const wasKept = navigator.serviceWorker.controller !== null;
  navigator.serviceWorker.register("/overlay-worker.js", { scope: "/overlay/" }).catch(console.warn);
  if (!wasKept) void navigator.serviceWorker.ready.then(({ active }) => active?.postMessage(location.pathname));
}
