// Moments and spans, as people read them; and a clock that ticks only while somebody looks.

import { createSubscriber } from "svelte/reactivity";

const subscribe = createSubscriber((update) => {
  const timer = setInterval(() => {
    if (!document.hidden) update();
  }, 1000);
  return () => clearInterval(timer);
});

/** How far this machine's clock is ahead of the server's, in milliseconds; it may be hours, and it may be set. */
let ahead = 0;
/** Whether the server has said what time it is: then moments that its workers wrote down count for nothing. */
let said: "" | "coarse" | "exact" = "";
/** Milliseconds by which two readings may differ: what the network took, and clocks that drift. */
const LOOSE = 2000;

/** What time it is at the server, in milliseconds, as it has said just now; `coarse` is to the second, cut off. */
export function clockSays(at: number, coarse = false): void {
  if (!Number.isFinite(at)) return;
  const found = Date.now() - at - (coarse ? 500 : 0);
  // Nothing comes before it was sent: the least is the best, until a clock was set.
  const better = !said || (!coarse && (said === "coarse" || found < ahead));
  if (better || Math.abs(found - ahead) > LOOSE) ahead = found;
  if (said !== "exact") said = coarse ? "coarse" : "exact";
}

/** The same from the head of an answer. */
export function clockIn(response: Response): void {
  clockSays(Date.parse(response.headers.get("date") ?? ""), true);
}

/** A moment that has been, from a server that does not say what time it is. */
export function serverSays(moment: string | null): void {
  if (moment === null || said) return;
  const at = Date.parse(moment);
  // What has happened cannot be in the future: a clock that says so is behind.
  if (at > Date.now() - ahead) ahead = Date.now() - at;
}

/** The server's time, in milliseconds; whatever reads it is drawn again every second. */
export function now(): number {
  subscribe();
  return Date.now() - ahead;
}

/** The same, read once. */
export function instant(): number {
  return Date.now() - ahead;
}

export function millis(moment: string | null): number | null {
  return moment === null ? null : Date.parse(moment);
}

export function span(ms: number): string {
  if (ms < 0) ms = 0;
  if (ms < 1) return "0 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function ago(ms: number, at: number): string {
  const past = at - ms;
  if (past < 5_000) return "now";
  if (past < 60_000) return `${Math.round(past / 1000)} s ago`;
  if (past < 3_600_000) return `${Math.round(past / 60_000)} min ago`;
  if (past < 86_400_000) return `${Math.round(past / 3_600_000)} h ago`;
  if (past < 14 * 86_400_000) return `${Math.round(past / 86_400_000)} d ago`;
  return new Date(ms).toLocaleDateString();
}

export function local(moment: string | null): string {
  return moment === null ? "" : new Date(moment).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

export function exact(moment: string | null): string {
  if (moment === null) return "";
  const at = new Date(moment);
  return `${at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" })} (${moment})`;
}
