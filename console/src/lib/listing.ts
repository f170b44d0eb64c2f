// The nodes of a run as a table: which, in which order.

import type { TreeNode } from "./api";
import { INKS, WORDS, type Ink } from "./phases";
import { times, tookOf } from "./timeline";

export type Column = "made" | "name" | "phase" | "took" | "began" | "tries" | "entity";

/** What states are asked for by, and what they are called. */
export const STATES: [Ink, string][] = [["run", "running"], ["hold", "waiting"], ["bad", "failed"], ["stop", "aborted"], ["good", "succeeded"], ["skip", "skipped"], ["wait", "not begun"]];

/** In which order states are shown: what people look for comes first. */
const RANK = new Map<Ink, number>(["bad", "hold", "run", "stop", "wait", "good", "skip"].map((ink, at) => [ink as Ink, at]));

export function shortName(node: TreeNode): string {
  return node.name.split(".").pop() ?? node.name;
}

/** The nodes with `text` somewhere and of one of the states (of any, when there are none), ordered. */
export function listed(nodes: Iterable<TreeNode>, text: string, states: ReadonlySet<Ink>, by: Column, down: boolean, at: number): TreeNode[] {
  const wanted = text.trim().toLowerCase();
  const found: TreeNode[] = [];
  for (const node of nodes) {
    if (states.size > 0 && !states.has(INKS[node.phase])) continue;
    if (wanted && ![node.path, node.name, node.entity, node.hint, node.error ?? "", WORDS[node.phase]].some((part) => part.toLowerCase().includes(wanted))) continue;
    found.push(node);
  }
  if (by === "made") return down ? found.reverse() : found;
  const key = keyOf(by, at);
  const keys = new Map(found.map((node) => [node, key(node)]));
  // What has no value is last, whichever way; of equals the first made comes first.
  return found.sort((a, b) => {
    const left = keys.get(a) ?? null;
    const right = keys.get(b) ?? null;
    if (left === right) return 0;
    if (left === null || right === null) return left === null ? 1 : -1;
    return (left < right ? -1 : 1) * (down ? -1 : 1);
  });
}

function keyOf(by: Column, at: number): (node: TreeNode) => string | number | null {
  switch (by) {
    case "name":
      return (node) => shortName(node).toLowerCase();
    case "phase":
      return (node) => RANK.get(INKS[node.phase]) ?? 9;
    case "took":
      return (node) => tookOf(node, at);
    case "began":
      return (node) => (node.started_at === null && node.queued_at === null ? null : times(node)[0]);
    case "tries":
      return (node) => node.attempts.length;
    default:
      return (node) => node.entity.toLowerCase();
  }
}
