// Launch plans that are launched by the clock: what is due, what came of it, and when that is in the schedule's own zone.

import type { Schedule } from "./entities";

export interface Firing {
  due: string | null;
  version: string;
  execution: string;
  run: string;
  outcome: string;
  at: string | null;
  late: number;
  detail: string;
  backfill: string;
}

export interface ScheduleRow {
  project: string;
  domain: string;
  name: string;
  version: string;
  schedule: Schedule;
  active_since: string | null;
  next: string[];
  last: Firing | null;
  fault: string;
}

export interface BackfillRow {
  id: string;
  project: string;
  domain: string;
  name: string;
  version: string;
  state: string;
  since: string | null;
  until: string | null;
  concurrency: number;
  created_at: string | null;
}

/** A moment in a zone, with the zone's name. */
export function inZone(moment: string, zone: string | undefined): string {
  return new Date(moment).toLocaleString(undefined, { timeZone: zone, weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
}
