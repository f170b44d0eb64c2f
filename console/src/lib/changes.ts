// What became different from one version of an entity to another, in words.

import type { EntityDetail, GraphShape, Parameter, Schedule } from "./entities";
import { line } from "./told";

export interface Change {
  what: string;
  ink: "good" | "bad" | "run";
}

function brief(value: unknown): string {
  const text = typeof value === "string" ? `"${value}"` : (JSON.stringify(value) ?? "none");
  return line(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

function parameters(of: "input" | "output", before: Record<string, Parameter>, after: Record<string, Parameter>): Change[] {
  const found: Change[] = [];
  for (const [name, now] of Object.entries(after)) {
    const was = before[name];
    const said = `${of} ${line(name)}`;
    if (!was) found.push({ what: `${said} is new: ${now.described}${of === "input" ? (now.required ? ", and must be given" : `, ${brief(now.default)} by default`) : ""}`, ink: of === "input" && now.required ? "bad" : "good" });
    else {
      if (was.described !== now.described) found.push({ what: `${said} was ${was.described}, is ${now.described}`, ink: "bad" });
      if (of === "input") {
        if (!was.required && now.required) found.push({ what: `${said} had ${brief(was.default)} by default, and must be given now`, ink: "bad" });
        else if (was.required && !now.required) found.push({ what: `${said} need not be given any more: ${brief(now.default)} by default`, ink: "good" });
        else if (!now.required && JSON.stringify(was.default) !== JSON.stringify(now.default)) found.push({ what: `${said} was ${brief(was.default)} by default, is ${brief(now.default)}`, ink: "run" });
      }
    }
  }
  for (const name of Object.keys(before)) if (!after[name]) found.push({ what: `${of} ${line(name)} is gone`, ink: "bad" });
  return found;
}

function called(graph: GraphShape | null): Map<string, number> {
  const found = new Map<string, number>();
  for (const node of graph?.nodes ?? []) if (node.entity) found.set(node.entity, (found.get(node.entity) ?? 0) + 1);
  return found;
}

/** What its callers and its readers must know, the interface first; `words` says a schedule. */
export function changes(before: EntityDetail, after: EntityDetail, words: (schedule: Schedule) => string): Change[] {
  const found = [...parameters("input", before.interface.inputs, after.interface.inputs), ...parameters("output", before.interface.outputs, after.interface.outputs)];
  const was = called(before.graph);
  const now = called(after.graph);
  for (const [name, times] of now) if (!was.has(name)) found.push({ what: `calls ${line(name)} now${times > 1 ? `, ${times} times` : ""}`, ink: "good" });
  for (const [name] of was) if (!now.has(name)) found.push({ what: `does not call ${line(name)} any more`, ink: "bad" });
  for (const [name, times] of now) {
    const once = was.get(name);
    if (once !== undefined && once !== times) found.push({ what: `calls ${line(name)} ${times} times, not ${once}`, ink: "run" });
  }
  const [a, b] = [before.schedule ? words(before.schedule) : "none", after.schedule ? words(after.schedule) : "none"];
  if (a !== b) found.push({ what: `its schedule was ${a}, is ${b}`, ink: "run" });
  if (before.plan && after.plan) {
    if (before.plan.workflow !== after.plan.workflow) found.push({ what: `launches ${line(after.plan.workflow)}, not ${line(before.plan.workflow)}`, ink: "run" });
    if (JSON.stringify(before.plan.fixed) !== JSON.stringify(after.plan.fixed)) found.push({ what: `fixes ${brief(after.plan.fixed)}, not ${brief(before.plan.fixed)}`, ink: "run" });
  }
  if (before.doc !== after.doc) found.push({ what: "its description", ink: "run" });
  if (before.python !== after.python) found.push({ what: `Python was ${before.python}, is ${after.python}`, ink: "run" });
  return found;
}

/** The tasks that either version calls, in the order in which they are called; those in workflows within it too. */
export function tasks(...versions: EntityDetail[]): string[] {
  const found = new Set<string>();
  for (const version of versions) {
    for (const graph of [version.graph, ...Object.values(version.workflows)]) {
      for (const node of graph?.nodes ?? []) if (node.kind === "task" || node.kind === "array" || node.kind === "dynamic" || node.kind === "eager") found.add(node.entity);
    }
  }
  return [...found];
}
