// What is registered, and how it is found: addresses are those that Flyte's clients print.

import { address, type TreeNode } from "./api";
import { noCounts, type Counts } from "./tree.svelte";
import { HOME } from "./router.svelte";

export type Kind = "task" | "workflow" | "launch_plan";

export const KINDS: { kind: Kind; path: string; title: string }[] = [
  { kind: "workflow", path: "workflows", title: "Workflows" },
  { kind: "task", path: "tasks", title: "Tasks" },
  { kind: "launch_plan", path: "launch-plans", title: "Launch plans" },
];

export interface Schedule {
  type: "cron" | "rate";
  schedule?: string;
  seconds?: number;
  kickoff_time_input: string;
}

export interface EntityRow {
  kind: Kind;
  project: string;
  domain: string;
  name: string;
  version: string;
  versions: number;
  created_at: string | null;
  state: string;
  doc: string;
  schedule: Schedule | null;
  active: string;
}

export interface LiteralType {
  type: string;
  simple?: string;
  values?: unknown[];
  item?: LiteralType;
  items?: LiteralType[];
  value?: LiteralType;
  fields?: Record<string, LiteralType> | null;
  optional?: string[];
  variants?: LiteralType[];
  multipart?: boolean;
  name?: string;
  names?: string[];
  encoding?: string;
}

export interface Parameter {
  type: LiteralType;
  described: string;
  description: string;
  required: boolean;
  default: unknown;
}

export interface NodeShape {
  id: string;
  kind: string;
  name: string;
  entity: string;
  version: string;
  parent: string;
  arm: string;
  line: { file: string; line: number } | null;
}

export interface GraphShape {
  name: string;
  nodes: NodeShape[];
  edges: { source: string; target: string; vars: string[] }[];
  brackets: { setup: string; teardown: string; members: string[] }[];
  failure_node: NodeShape | null;
}

export interface EntityDetail extends EntityRow {
  interface: { inputs: Record<string, Parameter>; outputs: Record<string, Parameter> };
  graph: GraphShape | null;
  workflows: Record<string, GraphShape>;
  plan: { workflow: string; fixed: Record<string, unknown> } | null;
  line: { file: string; line: number; text: string } | null;
  source: string | null;
  bundle: string;
  python: string;
  native: boolean;
  remark: string;
  task_kind: string;
  runs: string;
}

export interface Place {
  project: string;
  domain: string;
}

export function pathOf(kind: Kind): string {
  return KINDS.find((each) => each.kind === kind)?.path ?? kind;
}

export function inPlace(place: Place, ...rest: string[]): string {
  return ["/projects", place.project, "domains", place.domain, ...rest].map((part, at) => (at ? encodeURIComponent(part) : part)).join("/");
}

export function entityAddress(place: Place, kind: Kind, name: string, version: string): string {
  return address(inPlace(place, pathOf(kind), name, version));
}

export function listUrl(place: Place, kind: Kind): string {
  return HOME + inPlace(place, pathOf(kind));
}

export function entityUrl(row: { kind: Kind; name: string; version?: string } & Place): string {
  const parts = [row.kind, row.name];
  if (row.version) parts.push("version", row.version);
  return HOME + inPlace(row, ...parts);
}

/** A schedule in words. */
export function inWords(schedule: Schedule): string {
  if (schedule.type === "cron") return schedule.schedule ?? "";
  const seconds = schedule.seconds ?? 0;
  for (const [size, word] of [[86_400, "day"], [3_600, "hour"], [60, "minute"]] as const) {
    if (seconds >= size && seconds % size === 0) return seconds === size ? `every ${word}` : `every ${seconds / size} ${word}s`;
  }
  return `every ${seconds} s`;
}

function rowOf(shape: NodeShape, prefix: string, parent: string): TreeNode {
  return {
    path: prefix + shape.id,
    parent,
    kind: shape.kind,
    entity: shape.entity,
    name: shape.name || shape.entity || shape.id,
    phase: "UNDEFINED",
    line: shape.line ? `${shape.line.file}:${shape.line.line}` : "",
    role: "",
    bracket: "",
    upstream: [],
    data: [],
    created_at: null,
    queued_at: null,
    started_at: null,
    ended_at: null,
    attempts: [],
    length: null,
    cached: false,
    grafted_from: "",
    recovered_from: "",
    replaced: false,
    waits_for: null,
    error: null,
    takes: {},
    hint: "",
    group: "",
    replaced_by: "",
    again: false,
  };
}

const DEEP = 8;

/** A graph as it is written, to be drawn as runs are. */
export class Plan {
  readonly nodes = new Map<string, TreeNode>();
  readonly children = new Map<string, TreeNode[]>();
  readonly still = true;

  constructor(graph: GraphShape, workflows: Record<string, GraphShape>) {
    this.#add(graph, workflows, "", "", 0);
  }

  #add(graph: GraphShape, workflows: Record<string, GraphShape>, prefix: string, parent: string, depth: number): void {
    const shapes = graph.failure_node ? [...graph.nodes, graph.failure_node] : graph.nodes;
    for (const shape of shapes) {
      const row = rowOf(shape, prefix, shape.parent ? prefix + shape.parent : parent);
      if (shape === graph.failure_node) row.role = "failure";
      for (const bracket of graph.brackets) {
        if (bracket.setup === shape.id) row.role = "setup";
        if (bracket.teardown === shape.id) row.role = "teardown";
      }
      this.nodes.set(row.path, row);
      const siblings = this.children.get(row.parent);
      if (siblings) siblings.push(row);
      else this.children.set(row.parent, [row]);
      const inner = shape.kind === "workflow" ? workflows[shape.entity] : undefined;
      if (inner && depth < DEEP) this.#add(inner, workflows, `${row.path}/`, row.path, depth + 1);
    }
    for (const edge of graph.edges) {
      const target = this.nodes.get(prefix + edge.target);
      if (!target || !this.nodes.has(prefix + edge.source)) continue;
      target.upstream.push(prefix + edge.source);
      if (edge.vars.length > 0) target.data.push(prefix + edge.source);
    }
  }

  get size(): number {
    return this.nodes.size;
  }

  node(path: string): TreeNode | undefined {
    return this.nodes.get(path);
  }

  counts(): Counts {
    return noCounts();
  }
}
