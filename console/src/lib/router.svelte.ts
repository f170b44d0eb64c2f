// The address is the state: what is shown can be linked to, and the browser's buttons work.

import { meant } from "./links";

export const HOME = "/console";

/** A part of an address as it was meant; one that was cut in the middle of a letter as it stands. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

class Router {
  path = $state(location.pathname);
  query = $state.raw(new URLSearchParams(location.search));

  constructor() {
    addEventListener("popstate", () => this.#read());
    this.#read();
  }

  #read(): void {
    const ours = meant(location.pathname, new URLSearchParams(location.search));
    if (ours !== null) history.replaceState(history.state, "", ours);
    this.path = location.pathname;
    this.query = new URLSearchParams(location.search);
  }

  /** The parts after `/console`. */
  get parts(): string[] {
    return this.path
      .replace(/^\/console\/?/, "")
      .split("/")
      .filter((part) => part !== "")
      .map(decoded);
  }

  go(url: string, replace = false): void {
    if (url === location.pathname + location.search) return;
    if (replace) history.replaceState(null, "", url);
    else history.pushState(null, "", url);
    this.#read();
  }

  /** Change parts of the query; `""` takes one out. */
  set(changes: Record<string, string>, replace = true): void {
    const next = new URLSearchParams(this.query);
    for (const [name, value] of Object.entries(changes)) {
      if (value) next.set(name, value);
      else next.delete(name);
    }
    const text = next.toString();
    this.go(this.path + (text ? `?${text}` : ""), replace);
  }
}

export const router = new Router();

/** Links within the console are followed without loading the page again. */
export function followed(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest("a");
  if (!link || link.target || link.origin !== location.origin || !link.pathname.startsWith(HOME)) return;
  event.preventDefault();
  router.go(link.pathname + link.search);
}

export function runUrl(run: string, query: Record<string, string> = {}): string {
  const text = new URLSearchParams(query).toString();
  return `${HOME}/runs/${encodeURIComponent(run)}${text ? `?${text}` : ""}`;
}
