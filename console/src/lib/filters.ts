// What a list of runs is filtered by: as the address has it, as REST is asked, and whether a row is meant.

import type { RunRow } from "./api";
import { GROUPS } from "./phases";

/** The names are those of the address. `since` and `until` are moments, or spans before now: `24h`, `7d`. */
export interface Filter {
  phase: string[];
  project: string;
  domain: string;
  entity: string;
  label: string[];
  text: string;
  since: string;
  until: string;
}

export const SPANS: [string, string][] = [
  ["1h", "the last hour"],
  ["24h", "the last day"],
  ["7d", "the last week"],
  ["30d", "the last 30 days"],
];
const UNITS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

export function filterOf(query: URLSearchParams): Filter {
  const said = (name: string): string => query.get(name) ?? "";
  const listed = (name: string): string[] => said(name).split(",").filter(Boolean);
  return { phase: listed("phase"), project: said("project"), domain: said("domain"), entity: said("entity"), label: listed("label"), text: said("text"), since: said("since"), until: said("until") };
}

/** For the address: `""` takes one out. */
export function saidOf(filter: Filter): Record<string, string> {
  return { ...filter, phase: filter.phase.join(","), label: filter.label.join(",") };
}

export function isFiltered(filter: Filter): boolean {
  return Object.values(saidOf(filter)).some(Boolean);
}

/** A moment in ISO 8601, `""` where there is none. A number alone is of hours. */
export function momentOf(text: string, now: number): string {
  const span = /^(\d+)([mhd]?)$/.exec(text);
  const at = span ? now - Number(span[1]) * (UNITS[span[2] || "h"] ?? 0) : Date.parse(text);
  return Number.isFinite(at) ? new Date(at).toISOString() : "";
}

export function inWords(name: "since" | "until", text: string): string {
  const known = SPANS.find(([span]) => span === text)?.[1];
  if (known && name === "since") return `in ${known}`;
  const span = /^(\d+)([mhd]?)$/.exec(text);
  const at = Date.parse(text);
  const when = span ? `${span[1]} ${{ m: "min", h: "h", d: "d" }[span[2] || "h"]} ago` : Number.isFinite(at) ? new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }) : text;
  return name === "since" ? `since ${when}` : `until ${when}`;
}

/** The query of REST. */
export function askedOf(filter: Filter, now: number): Record<string, string> {
  const { project, domain, entity, text } = filter;
  return {
    project, domain, entity, text,
    phase: GROUPS.filter((group) => filter.phase.includes(group.name)).flatMap((group) => group.phases).join(","),
    label: filter.label.join(","),
    since: momentOf(filter.since, now),
    until: momentOf(filter.until, now),
  };
}

/** Whether the list shows a row: as the server would say. */
export function takes(filter: Filter, asked: Record<string, string>, row: RunRow): boolean {
  const groups = GROUPS.filter((group) => filter.phase.includes(group.name));
  if (groups.length > 0 && !groups.some((group) => group.phases.includes(row.phase) || (group.name === "waiting" && row.gates > 0))) return false;
  if (filter.project && row.project !== filter.project) return false;
  if (filter.domain && row.domain !== filter.domain) return false;
  if (filter.entity && row.entity !== filter.entity && !row.entity.endsWith(`.${filter.entity}`)) return false;
  const at = Date.parse(row.created_at ?? "") || 0;
  if (asked.since && at < Date.parse(asked.since)) return false;
  if (asked.until && at >= Date.parse(asked.until)) return false;
  for (const label of filter.label) {
    const [key = "", ...rest] = label.split("=");
    const value = rest.length ? rest.join("=") : null;
    const there = key in row.labels ? row.labels[key] : row.tags.includes(key) ? "" : null;
    if (there === null || (value !== null && there !== value)) return false;
  }
  const sought = filter.text.toLowerCase();
  return !sought || [row.run, row.name, row.entity, row.source, row.message].some((each) => each.toLowerCase().includes(sought));
}

// --- what somebody keeps

export interface View {
  name: string;
  query: string;
}

const VIEWS = "whimbrel.views";
const LAST = "whimbrel.view";

export function views(): View[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(VIEWS) ?? "[]");
    return Array.isArray(found) ? found.filter((each): each is View => typeof each?.name === "string" && typeof each?.query === "string") : [];
  } catch {
    return []; // Somebody else has written there.
  }
}

export function keepViews(kept: View[]): void {
  localStorage.setItem(VIEWS, JSON.stringify(kept));
}

/** The filter that was used last, for the list of views. */
export function last(): string {
  return localStorage.getItem(LAST) ?? "";
}

export function used(query: string): void {
  if (query) localStorage.setItem(LAST, query);
}
