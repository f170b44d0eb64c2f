// What stands in a graph: nodes inside nodes, and calls of an eager body inside the tasks that made them.

import type { TreeNode } from "./api";
import { JOINT, joined, laid, succession, type Box, type Edge, type Laid } from "./layout";
import { label } from "./segments";
import { millis } from "./time.svelte";

/** Marks the box of a group: a `gather`, a `TaskGroup`, a task by the name of its coroutine. */
export const SCOPE = "\u0001";
export const HEAD = 30;
export const SCOPE_HEAD = 22;
export const PAD = 8;
export const HIGH = 48;
/** Of a node's children, how many are drawn one by one. */
export const DRAWN = 400;
const NARROW = 12;

export interface Scope {
  id: string;
  label: string;
  /** Every call in it, those of groups inside included. */
  members: TreeNode[];
}

export interface Scene {
  laid: Laid;
  boxes: Map<string, Box>;
  inner: Map<string, Scene>;
  scopes: Map<string, Scope>;
  /** How many children are not drawn. */
  rest: number;
}

export interface Source {
  readonly children: ReadonlyMap<string, TreeNode[]>;
  readonly nodes: ReadonlyMap<string, TreeNode>;
}

export interface Folding {
  /** Whether a node or a group with so many things inside is drawn open. */
  open(id: string, below: number, depth: number, kind: string): boolean;
  wide(node: TreeNode): number;
}

export function scopeId(parent: string, trail: string): string {
  return `${SCOPE}${parent}${SCOPE}${trail}`;
}

/** Layouts that are kept while what they were made of is the same: of a run that grows, most of it is. */
export class Scenes {
  #kept = new Map<string, { key: string; laid: Laid }>();

  constructor(
    readonly source: Source,
    readonly folding: Folding,
  ) {}

  make(): Scene {
    return this.#of("", 0);
  }

  #of(parent: string, depth: number): Scene {
    const all = this.source.children.get(parent) ?? [];
    const nodes = all.length > DRAWN ? all.slice(0, DRAWN) : all;
    const scene = this.#place(parent, nodes, "", depth, depth === 0);
    scene.rest = all.length - nodes.length;
    return scene;
  }

  #place(parent: string, nodes: TreeNode[], trail: string, depth: number, whole: boolean): Scene {
    const boxes = new Map<string, Box>();
    const inner = new Map<string, Scene>();
    const scopes = new Map<string, Scope>();
    const home = new Map<string, string>();
    for (const node of nodes) {
      if (node.group.length <= trail.length) {
        home.set(node.path, node.path);
        boxes.set(node.path, this.#box(node, depth, inner));
        continue;
      }
      const segment = node.group.slice(trail ? trail.length + 1 : 0).split("/")[0] ?? "";
      const id = scopeId(parent, trail ? `${trail}/${segment}` : segment);
      home.set(node.path, id);
      const scope = scopes.get(id);
      if (scope) scope.members.push(node);
      else {
        scopes.set(id, { id, label: label(segment), members: [node] });
        // Its place among the boxes is that of its first call; how large it is is known when all are.
        boxes.set(id, { id, width: 0, height: 0 });
      }
    }
    for (const scope of scopes.values()) {
      const within = scope.id.slice(scope.id.indexOf(SCOPE, 1) + 1);
      if (this.folding.open(scope.id, scope.members.length, depth, "scope")) {
        const scene = this.#place(parent, scope.members, within, depth, false);
        inner.set(scope.id, scene);
        boxes.set(scope.id, { id: scope.id, width: Math.max(110, scene.laid.width), height: scene.laid.height + SCOPE_HEAD });
      } else boxes.set(scope.id, { id: scope.id, width: Math.max(130, 70 + scope.label.length * 7.4), height: HIGH });
    }
    alike(nodes, boxes, inner);
    const edges = joining(nodes, home);
    // What a `gather` makes is made together, however long it took until the last began.
    const together = trail.slice(trail.lastIndexOf("/") + 1).includes("#");
    if (!together && this.source.nodes.get(parent)?.kind === "eager") {
      const known = new Set(edges.map((edge) => `${edge.from}\n${edge.to}`));
      const after = joined(succession(spans(nodes, home)));
      for (const joint of after.joints) boxes.set(`${joint.id}${parent}${SCOPE}${trail}`, { ...joint, id: `${joint.id}${parent}${SCOPE}${trail}` });
      for (const edge of after.edges) {
        if (edge.from.startsWith(JOINT)) edge.from += `${parent}${SCOPE}${trail}`;
        if (edge.to.startsWith(JOINT)) edge.to += `${parent}${SCOPE}${trail}`;
        if (!known.has(`${edge.from}\n${edge.to}`)) edges.push(edge);
      }
    }
    return { laid: this.#laid(`${parent}${SCOPE}${trail}`, [...boxes.values()], edges, whole), boxes, inner, scopes, rest: 0 };
  }

  #box(node: TreeNode, depth: number, inner: Map<string, Scene>): Box {
    const children = this.source.children.get(node.path);
    if (children && this.folding.open(node.path, outermost(children), depth, node.kind)) {
      const scene = this.#of(node.path, depth + 1);
      inner.set(node.path, scene);
      return { id: node.path, width: Math.max(170, scene.laid.width + 2 * PAD), height: scene.laid.height + HEAD + PAD };
    }
    return { id: node.path, width: this.folding.wide(node), height: HIGH };
  }

  #laid(id: string, boxes: Box[], edges: Edge[], whole: boolean): Laid {
    const key = `${boxes.map((box) => `${box.id} ${box.width} ${box.height}`).join("\n")}\n\n${edges.map((edge) => `${edge.from} ${edge.to} ${edge.kind}`).join("\n")}`;
    const before = this.#kept.get(id);
    if (before?.key === key) return before.laid;
    const made = whole ? laid(boxes, edges) : laid(boxes, edges, NARROW);
    this.#kept.set(id, { key, laid: made });
    return made;
  }
}

/** How many boxes stand for calls: a group is one. */
function outermost(calls: TreeNode[]): number {
  const groups = new Set<string>();
  let alone = 0;
  for (const call of calls) {
    if (call.group) groups.add(call.group.split("/", 1)[0] ?? "");
    else alone += 1;
  }
  return alone + groups.size;
}

/** Closed boxes of one entity are equally wide. */
function alike(nodes: TreeNode[], boxes: Map<string, Box>, inner: Map<string, Scene>): void {
  const widths = new Map<string, number>();
  const closed = nodes.filter((node) => boxes.has(node.path) && !inner.has(node.path));
  for (const node of closed) widths.set(node.entity, Math.max(widths.get(node.entity) ?? 0, boxes.get(node.path)?.width ?? 0));
  for (const node of closed) boxes.set(node.path, { id: node.path, width: widths.get(node.entity) ?? 0, height: HIGH });
}

/** The edges between what stands in one scene: one of something further inside is one of the box that it is in. */
function joining(nodes: TreeNode[], home: Map<string, string>): Edge[] {
  const found = new Map<string, Edge>();
  const add = (from: string, to: string, kind: Edge["kind"]): void => {
    const a = home.get(from);
    const b = home.get(to);
    if (a === undefined || b === undefined || a === b) return;
    const key = `${a}\n${b}`;
    const known = found.get(key);
    if (!known || (known.kind !== "data" && kind === "data")) found.set(key, { from: a, to: b, kind });
  };
  for (const node of nodes) {
    for (const from of node.data) add(from, node.path, "data");
    for (const from of node.upstream) add(from, node.path, "order");
    if (node.replaced_by) add(node.path, node.replaced_by, "swap");
    if (node.grafted_from) add(node.grafted_from, node.path, "swap");
  }
  return [...found.values()];
}

/** When each box of a body was under way; a group is from its first call to its last. What was replaced is not. */
function spans(nodes: TreeNode[], home: Map<string, string>): { id: string; begin: number; end: number }[] {
  const found = new Map<string, { id: string; begin: number; end: number }>();
  for (const node of nodes) {
    if (node.replaced) continue;
    const id = home.get(node.path) ?? node.path;
    const begin = millis(node.created_at) ?? 0;
    const end = millis(node.ended_at) ?? Number.POSITIVE_INFINITY;
    const span = found.get(id);
    if (span) {
      span.begin = Math.min(span.begin, begin);
      span.end = Math.max(span.end, end);
    } else found.set(id, { id, begin, end });
  }
  return [...found.values()];
}

// --- looking around in it

export interface Spot {
  id: string;
  x: number;
  y: number;
  width: number;
  height: number;
  /** Whether other boxes stand in it. */
  holds: boolean;
}

export interface Chart {
  spots: Map<string, Spot>;
  after: Map<string, string[]>;
  before: Map<string, string[]>;
}

/** Where every box is, and what leads where; joints are passed through. */
export function chart(scene: Scene): Chart {
  const found: Chart = { spots: new Map(), after: new Map(), before: new Map() };
  const walk = (of: Scene, x: number, y: number): void => {
    for (const box of of.boxes.values()) {
      if (box.id.startsWith(JOINT)) continue;
      const at = of.laid.boxes.get(box.id) ?? { x: 0, y: 0 };
      const inside = of.inner.get(box.id);
      found.spots.set(box.id, { id: box.id, x: x + at.x, y: y + at.y, width: box.width, height: box.height, holds: inside !== undefined });
      if (inside) {
        const scope = box.id.startsWith(SCOPE);
        walk(inside, x + at.x + (scope ? 0 : PAD), y + at.y + (scope ? SCOPE_HEAD : HEAD));
      }
    }
    const next = new Map<string, string[]>();
    for (const { edge } of of.laid.lines) push(next, edge.from, edge.to);
    for (const [from, to] of next) {
      if (from.startsWith(JOINT)) continue;
      const reached = to.flatMap((id) => (id.startsWith(JOINT) ? (next.get(id) ?? []) : [id]));
      found.after.set(from, reached);
      for (const id of reached) push(found.before, id, from);
    }
  };
  walk(scene, 0, 0);
  return found;
}

function push(to: Map<string, string[]>, key: string, value: string): void {
  const known = to.get(key);
  if (known) known.push(value);
  else to.set(key, [value]);
}

export type Way = "left" | "right" | "up" | "down";

/** The box that an arrow key leads to: along an edge if there is one, else whatever stands there. */
export function neighbour(of: Chart, id: string, way: Way): string | null {
  const here = of.spots.get(id);
  if (!here) return of.spots.keys().next().value ?? null;
  const level = way === "left" || way === "right";
  const along = level ? (way === "right" ? of.after : of.before).get(id) : undefined;
  const middle = here.y + here.height / 2;
  let best: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const other of along ?? of.spots.keys()) {
    const spot = of.spots.get(other);
    if (!spot || other === id) continue;
    const dx = spot.x - here.x;
    const dy = spot.y - here.y;
    const ahead = along ? 0 : way === "right" ? dx : way === "left" ? -dx : way === "down" ? dy : -dy;
    if (!along && ahead <= 1) continue;
    const aside = level ? Math.abs(spot.y + spot.height / 2 - middle) : Math.abs(dx);
    const far = ahead + 3 * aside;
    if (far < least) {
      least = far;
      best = other;
    }
  }
  return best;
}

/** What the input `name` of the run flows into, by what the nodes say that they take. */
export function reached(source: Source, name: string): Set<string> {
  const lit = new Set<string>();
  const into = (parent: string, given: string): void => {
    const children = source.children.get(parent) ?? [];
    const here: string[] = [];
    for (const child of children) {
      const own = child.takes[given];
      if (own === undefined) continue;
      lit.add(child.path);
      here.push(child.path);
      if (child.kind === "array") for (const item of source.children.get(child.path) ?? []) lit.add(item.path);
      else if (child.kind === "branch") into(child.path, given);
      else for (const each of own) into(child.path, each);
    }
    const after = new Map<string, string[]>();
    for (const child of children) for (const from of child.data) push(after, from, child.path);
    const seen = new Set(here);
    for (let at = 0; at < here.length; at++) {
      for (const next of after.get(here[at] as string) ?? []) {
        if (seen.has(next)) continue;
        seen.add(next);
        lit.add(next);
        here.push(next);
        if (source.nodes.get(next)?.kind === "array") for (const item of source.children.get(next) ?? []) lit.add(item.path);
      }
    }
  };
  into("", name);
  return lit;
}

/** Of what is lit, the eager bodies of whose calls nothing is known: small values leave no trace. */
export function silent(source: Source, lit: Set<string>): Set<string> {
  const found = new Set<string>();
  for (const path of lit) {
    const calls = source.nodes.get(path)?.kind === "eager" ? source.children.get(path) : undefined;
    if (calls && !calls.some((call) => lit.has(call.path))) found.add(path);
  }
  return found;
}
