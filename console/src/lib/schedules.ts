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

/** The time zone that a cron expression is meant in: UTC unless it says another. */
export function zoneOf(schedule: Schedule): string {
  return /^(?:CRON_)?TZ=(\S+)/.exec(schedule.schedule ?? "")?.[1] ?? "UTC";
}

const DAYS = ["Sundays", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays"];

/** The plainest of cron expressions in words; `""` for those that are best read as they are. */
export function cronInWords(text: string): string {
  const fields = text.replace(/^(?:CRON_)?TZ=\S+\s+/, "").trim().split(/\s+/);
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = fields;
  if (fields.length !== 5 || day !== "*" || month !== "*") return "";
  const number = /^\d+$/;
  const every = /^\*\/(\d+)$/.exec(minute);
  if (every && hour === "*" && weekday === "*") return `every ${every[1]} minutes`;
  if (!number.test(minute)) return minute === "*" && hour === "*" && weekday === "*" ? "every minute" : "";
  if (hour === "*" && weekday === "*") return `every hour, at minute ${Number(minute)}`;
  if (!number.test(hour)) return "";
  const time = `${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`;
  if (weekday === "*") return `every day at ${time}`;
  if (weekday === "1-5" || weekday.toUpperCase() === "MON-FRI") return `on weekdays at ${time}`;
  return number.test(weekday) ? `on ${DAYS[Number(weekday) % 7]} at ${time}` : "";
}
