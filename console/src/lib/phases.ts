// What a phase looks like: one ink and one shape for each group, everywhere.

import type { Phase } from "./api";

export type Ink = "wait" | "run" | "good" | "bad" | "stop" | "hold" | "skip";

export const INKS: Record<Phase, Ink> = {
  UNDEFINED: "wait",
  QUEUED: "wait",
  RUNNING: "run",
  SUCCEEDING: "run",
  DYNAMIC_RUNNING: "run",
  SUCCEEDED: "good",
  RECOVERED: "good",
  FAILING: "bad",
  FAILED: "bad",
  TIMED_OUT: "bad",
  ABORTING: "stop",
  ABORTED: "stop",
  PAUSED: "hold",
  SKIPPED: "skip",
};

export const WORDS: Record<Phase, string> = {
  UNDEFINED: "not yet",
  QUEUED: "queued",
  RUNNING: "running",
  SUCCEEDING: "succeeding",
  DYNAMIC_RUNNING: "running",
  SUCCEEDED: "succeeded",
  RECOVERED: "taken over",
  FAILING: "failing",
  FAILED: "failed",
  TIMED_OUT: "timed out",
  ABORTING: "aborting",
  ABORTED: "aborted",
  PAUSED: "waiting",
  SKIPPED: "skipped",
};

const ENDED = new Set<Phase>(["SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT", "SKIPPED", "RECOVERED"]);

export function ended(phase: Phase): boolean {
  return ENDED.has(phase);
}

/** How the message of a run begins that waits; what for comes after it. */
export const WAITS = "waits for an answer";

/** What a row of a run shows: one that goes on, but of which somebody has to answer a question, waits. */
export function shownPhase(row: { phase: Phase; gates: number }): Phase {
  return row.gates > 0 && row.phase === "RUNNING" ? "PAUSED" : row.phase;
}

/** The groups that lists are filtered by, and the phases that each stands for: PAUSED are those that wait. */
export const GROUPS: { name: string; ink: Ink; phases: Phase[] }[] = [
  { name: "running", ink: "run", phases: ["UNDEFINED", "QUEUED", "RUNNING", "SUCCEEDING", "FAILING", "ABORTING", "DYNAMIC_RUNNING"] },
  { name: "waiting", ink: "hold", phases: ["PAUSED"] },
  { name: "succeeded", ink: "good", phases: ["SUCCEEDED", "RECOVERED"] },
  { name: "failed", ink: "bad", phases: ["FAILED", "TIMED_OUT"] },
  { name: "aborted", ink: "stop", phases: ["ABORTED"] },
];
