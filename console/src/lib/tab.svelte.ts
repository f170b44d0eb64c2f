// What the tab of the browser says: its title is each page's own (<svelte:head>); its sign is here.

import type { Ink } from "./phases";

const SIGNS: Record<Ink, string> = { wait: "○", run: "●", good: "✓", bad: "✕", stop: "■", hold: "‖", skip: "–" };
/** As in app.css; both have to be told from the light and the dark frames of browsers. */
const COLOURS: Record<Ink, string> = { wait: "#8b9196", run: "#2f86d6", good: "#3c9a62", bad: "#d64a43", stop: "#c98a2b", hold: "#8a68d6", skip: "#8b9196" };
const OWN = "/console/icon.svg";

/** A phase's sign, to stand before a title. */
export function sign(ink: Ink): string {
  return SIGNS[ink];
}

/** The tab shows a phase in the corner of the bird; `null` is the bird alone. */
export function icon(ink: Ink | null): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  if (!link) return;
  const bird = `<path d="M3 21c4-9 12-12 17-9 3 2 3 5 2 8-2 5-9 7-13 4" fill="none" stroke="#3b87ab" stroke-width="3" stroke-linecap="round"/><path d="M20 12c4 0 7 3 9 9" fill="none" stroke="#c8792b" stroke-width="2.4" stroke-linecap="round"/>`;
  const next = ink === null ? OWN : `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${bird}<circle cx="24" cy="24" r="7" fill="${COLOURS[ink]}"/></svg>`)}`;
  if (link.getAttribute("href") !== next) link.href = next;
}
