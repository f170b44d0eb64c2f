// A server that was renewed has another console: what is open here is loaded again, where nothing would be lost by it.

import { say } from "./toasts.svelte";

const ONCE = "whimbrel.reloaded";
/** Milliseconds within which a second reload would be a loop. */
const SOON = 20_000;
/** Milliseconds between two questions to a server that does not answer. */
const AGAIN = 2_000;

function script(page: Document): string {
  return page.querySelector('script[type="module"]')?.getAttribute("src") ?? "";
}

function reload(): void {
  const last = Number(sessionStorage.getItem(ONCE) ?? 0);
  if (Date.now() - last < SOON || document.querySelector("dialog[open]")) {
    say("The server has a newer console.", { text: "Load it", href: location.href }, "run");
    return;
  }
  sessionStorage.setItem(ONCE, String(Date.now()));
  location.reload();
}

/** After the server has come back: whether its console is still this one. */
export async function looked(): Promise<void> {
  try {
    const response = await fetch("/console", { cache: "no-cache" });
    if (!response.ok) return;
    const there = script(new DOMParser().parseFromString(await response.text(), "text/html"));
    if (there && there !== script(document)) reload();
  } catch {
    // It is gone again: the frame says so, and this is asked when it is back.
  }
}

let asking = false;

/** Parts that are loaded when they are needed cannot be had from a server that was renewed, or is gone: the page is
    loaded again, once there is a server to load it from. */
export function watch(): void {
  addEventListener("vite:preloadError", () => void again());
}

async function again(): Promise<void> {
  if (asking) return;
  asking = true;
  while (!(await answers())) await new Promise((done) => setTimeout(done, AGAIN));
  asking = false;
  reload();
}

async function answers(): Promise<boolean> {
  try {
    return (await fetch("/console", { cache: "no-cache" })).ok;
  } catch {
    return false;
  }
}
