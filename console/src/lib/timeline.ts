// What time went into: the bars of a node, the marks of an axis, the chain of nodes that an end waited for.

import type { TreeNode } from "./api";
import { ended, INKS, type Ink } from "./phases";
import { millis, span } from "./time.svelte";

/** What a bar says. `work` is drawn in the ink of how it went. */
export type Meaning = "queue" | "retry" | "start" | "sleep" | "gate" | "kept" | "work";

export interface Bar {
  begin: number;
  end: number;
  meaning: Meaning;
  ink: Ink;
  title: string;
}

export interface Bars {
  bars: Bar[];
  /** The clocks of its machines disagree: some moment is before one that came first. */
  crooked: boolean;
}

/** What a node's time went into; `at` is the end of what goes on. No bar goes backwards, whatever the clocks said. */
export function barsOf(node: TreeNode, at: number): Bars {
  const created = millis(node.created_at);
  if (created === null || node.phase === "SKIPPED") return { bars: [], crooked: false };
  const bars: Bar[] = [];
  let crooked = false;
  let last = created;
  const after = (moment: number | null, instead: number): number => {
    if (moment === null) return Math.max(last, instead);
    // A millisecond is what clocks are read with.
    if (moment < last - 1) crooked = true;
    return Math.max(last, moment);
  };
  const add = (end: number, meaning: Meaning, ink: Ink, title: string): void => {
    if (end > last || meaning === "work" || meaning === "kept") bars.push({ begin: last, end, meaning, ink, title });
    last = end;
  };
  const over = ended(node.phase);
  const whole = millis(node.ended_at);
  if (node.cached || node.grafted_from || node.recovered_from) {
    const why = node.cached ? "from the cache" : node.grafted_from ? "kept from before the code changed" : "taken over from another run";
    add(after(whole, over ? created : at), "kept", "good", why);
    return { bars, crooked };
  }
  last = after(millis(node.queued_at), created);
  if (node.attempts.length === 0) {
    const started = millis(node.started_at);
    const end = after(whole, over ? last : at);
    if (node.kind === "gate") {
      if (node.queued_at !== null || started !== null) add(end, "gate", over && INKS[node.phase] !== "good" ? INKS[node.phase] : "hold", `waited ${span(end - last)} for an answer`);
    } else if (started === null) {
      if (node.queued_at !== null) add(end, "queue", "wait", `waited ${span(end - last)}`);
    } else {
      add(after(started, started), "queue", "wait", "waits for room");
      const stopped = after(whole, over ? last : at);
      add(stopped, "work", INKS[node.phase], span(stopped - last));
    }
    return { bars, crooked };
  }
  let parked = false;
  for (const [index, attempt] of node.attempts.entries()) {
    const latest = index === node.attempts.length - 1;
    const launched = after(millis(attempt.launched_at), last);
    const waited = span(launched - last);
    if (parked) add(launched, "sleep", "hold", `slept ${waited}`);
    else if (index) add(launched, "retry", "wait", `waited ${waited} to try again`);
    else add(launched, "queue", "wait", `waited ${waited} for room`);
    const began = millis(attempt.started_at);
    const finished = millis(attempt.ended_at) ?? (over ? whole : null);
    if (began === null) {
      const end = after(finished, over ? last : at);
      add(end, "start", "wait", `waited ${span(end - last)} for a worker`);
    } else {
      const started = after(began, began);
      add(started, "start", "wait", `waited ${span(started - last)} for a worker`);
      const stopped = after(finished, over ? last : at);
      const gone = attempt.fault === "lost" || attempt.fault === "system";
      const paused = attempt.phase === "PAUSED";
      // A body that has left memory while it waits has done well so far.
      const ink = gone ? "stop" : paused ? (latest && over ? INKS[node.phase] : "good") : INKS[attempt.phase];
      const took = node.attempts.length > 1 ? `try ${index + 1}: ${span(stopped - last)}` : span(stopped - last);
      add(stopped, "work", ink, attempt.fault === "lost" ? `${took}, then its process was gone` : took);
    }
    parked = attempt.phase === "PAUSED";
  }
  if (!over && node.attempts.at(-1)?.ended_at) {
    const waited = span(Math.max(0, at - last));
    add(Math.max(last, at), parked ? "sleep" : "retry", parked ? "hold" : "wait", parked ? `has slept for ${waited}` : `has waited ${waited} to try again`);
  }
  return { bars, crooked };
}

/** Milliseconds that it took, waiting left out; `null` before it began. */
export function tookOf(node: TreeNode, at: number): number | null {
  const over = ended(node.phase);
  const begin = millis(node.started_at ?? (over ? node.queued_at : null));
  if (begin === null || node.phase === "SKIPPED") return null;
  return Math.max(0, (millis(node.ended_at) ?? at) - begin);
}

const moments = new WeakMap<TreeNode, [number, number]>();
/** When a node was made and ended, in milliseconds; rows do not change, so it is read once. */
export function times(node: TreeNode): [number, number] {
  let found = moments.get(node);
  if (found === undefined) {
    const begin = millis(node.started_at ?? node.queued_at ?? node.created_at) ?? Number.POSITIVE_INFINITY;
    found = [begin, millis(node.ended_at) ?? Number.POSITIVE_INFINITY];
    moments.set(node, found);
  }
  return found;
}

// --- the axis

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((by) => by * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((by) => by * MINUTE),
  ...[1, 2, 3, 6, 12, 24, 48, 24 * 7, 24 * 14, 24 * 30, 24 * 90].map((by) => by * HOUR),
];

/** The step of an axis of `length` milliseconds with at most `most` marks: one that people count in. */
export function stepOf(length: number, most: number): number {
  const least = length / Math.max(1, most);
  return STEPS.find((step) => step >= least) ?? Math.ceil(least / (24 * HOUR)) * 24 * HOUR;
}

export interface Mark {
  at: number;
  /** Since the beginning. */
  since: string;
  /** By the clock of whoever looks. */
  clock: string;
}

/** Marks between `from` and `to` (both in milliseconds), counted from `origin`. */
export function marksOf(from: number, to: number, origin: number, most: number): Mark[] {
  const step = stepOf(to - from, most);
  const found: Mark[] = [];
  for (let count = Math.ceil((from - origin) / step); origin + count * step <= to; count++) {
    const at = origin + count * step;
    found.push({ at, since: since(count * step, step), clock: clockOf(at, step) });
  }
  return found;
}

/** A distance on an axis, as exact as its step. */
export function since(ms: number, step: number): string {
  if (ms === 0) return "0";
  const sign = ms < 0 ? "−" : "";
  const size = Math.abs(ms);
  if (step < SECOND && size < SECOND) return `${sign}${size} ms`;
  if (size < MINUTE) return `${sign}${(size / SECOND).toFixed(step >= SECOND ? 0 : step >= 100 ? 1 : step >= 10 ? 2 : 3)} s`;
  const minutes = Math.floor(size / MINUTE);
  const seconds = (size - minutes * MINUTE) / SECOND;
  const rest = step >= MINUTE ? "" : ` ${seconds.toFixed(step >= SECOND ? 0 : step >= 100 ? 1 : 3)} s`;
  if (size < HOUR) return `${sign}${minutes} min${rest}`;
  const hours = Math.floor(size / HOUR);
  const left = minutes % 60;
  if (size < 48 * HOUR) return `${sign}${hours} h${step >= HOUR ? "" : ` ${left} min`}${rest}`;
  return `${sign}${Math.floor(hours / 24)} d${step >= 24 * HOUR ? "" : ` ${hours % 24} h`}`;
}

function clockOf(at: number, step: number): string {
  const moment = new Date(at);
  if (step >= 24 * HOUR) return moment.toLocaleDateString(undefined, { month: "short", day: "numeric" });
  const two = (number: number): string => `${number}`.padStart(2, "0");
  const minutes = `${two(moment.getHours())}:${two(moment.getMinutes())}`;
  if (step >= MINUTE) return minutes;
  const seconds = `${minutes}:${two(moment.getSeconds())}`;
  return step >= SECOND ? seconds : `${seconds}.${`${moment.getMilliseconds()}`.padStart(3, "0")}`;
}

// --- the part that is shown

export type Span = [number, number];
/** A part of a whole: shares from 0 to 1; `null` is all of it. */
export type Zoom = Span | null;
/** The smallest part that is shown: a hundred-thousandth, of a day a second. */
const LEAST = 1e-5;

/** `zoom` with its length times `by` around a share of what is shown. */
export function zoomed(zoom: Zoom, by: number, around = 0.5): Zoom {
  const [from, to] = zoom ?? [0, 1];
  const length = Math.min(1, Math.max(LEAST, (to - from) * by));
  const fixed = from + (to - from) * around;
  const begin = Math.min(1 - length, Math.max(0, fixed - length * around));
  return length > 0.999 ? null : [begin, begin + length];
}

/** `zoom` moved by a share of what is shown. */
export function panned(zoom: Zoom, by: number): Zoom {
  if (zoom === null) return null;
  const length = zoom[1] - zoom[0];
  const begin = Math.min(1 - length, Math.max(0, zoom[0] + by * length));
  return [begin, begin + length];
}

// --- what the end waited for

/** The paths of the nodes that an end waited for: what ended last, what that waited for, and so inside each. */
export function critical(children: ReadonlyMap<string, readonly TreeNode[]>, nodes: ReadonlyMap<string, TreeNode>, at: number): Set<string> {
  const found = new Set<string>();
  const end = (node: TreeNode): number => Math.min(times(node)[1], at);
  const walk = (parent: string): void => {
    const all = (children.get(parent) ?? []).filter((node) => !node.replaced && node.phase !== "SKIPPED" && node.phase !== "UNDEFINED");
    let last = all.reduce<TreeNode | undefined>((best, node) => (best && end(best) >= end(node) ? best : node), undefined);
    if (!last) return;
    const known = new Map(all.map((node) => [node.path, node]));
    const byEnd = [...all].sort((a, b) => end(a) - end(b));
    const items = nodes.get(parent)?.kind === "array";
    const inGraph = all.some((node) => node.upstream.length > 0);
    while (last && !found.has(last.path)) {
      found.add(last.path);
      walk(last.path);
      // Items of a map wait for none of the others.
      if (items) return;
      last = inGraph ? latest(last.upstream.map((path) => known.get(path)), end) : before(byEnd, last, end);
    }
  };
  walk("");
  return found;
}

function latest(nodes: (TreeNode | undefined)[], end: (node: TreeNode) => number): TreeNode | undefined {
  return nodes.reduce((best, node) => (node && (!best || end(node) > end(best)) ? node : best), undefined);
}

/** Of calls without edges: the one that had ended last when `node` was made. */
function before(byEnd: TreeNode[], node: TreeNode, end: (node: TreeNode) => number): TreeNode | undefined {
  const made = millis(node.created_at);
  if (made === null) return undefined;
  let low = 0;
  let high = byEnd.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (end(byEnd[middle] as TreeNode) <= made) low = middle + 1;
    else high = middle;
  }
  return byEnd[low - 1];
}

// --- many items in a strip

/** Which state of several is shown where there is room for one: what people look for comes first. */
const WORST: Ink[] = ["bad", "hold", "stop", "run", "wait", "skip", "good"];

/** Whether people look for the one rather than for the other. */
export function worse(one: Ink, other: Ink): boolean {
  return WORST.indexOf(one) < WORST.indexOf(other);
}

export interface Cell {
  ink: Ink;
  first: number;
  last: number;
}

/** A cell for each item, or, where they would be smaller than `least` pixels, for several: the worst state of those. */
export function cellsOf(inks: readonly Ink[], width: number, least = 3): Cell[] {
  const count = Math.min(inks.length, Math.max(1, Math.floor(width / least)));
  const found: Cell[] = [];
  for (let at = 0; at < count; at++) {
    const first = Math.floor((at * inks.length) / count);
    const last = Math.floor(((at + 1) * inks.length) / count) - 1;
    let worst = WORST.length;
    for (let each = first; each <= last; each++) worst = Math.min(worst, WORST.indexOf(inks[each] as Ink));
    found.push({ ink: WORST[worst] ?? "wait", first, last });
  }
  return found;
}
