// Where the nodes of a graph stand: from left to right by what they wait for.

import { Graph as Dagre, layout as place } from "@dagrejs/dagre";

export interface Box {
  id: string;
  width: number;
  height: number;
}

export interface Edge {
  from: string;
  to: string;
  /** `swap`: what was replaced or kept, and what stands there now. */
  kind: "data" | "order" | "time" | "swap";
}

export interface Placed {
  x: number;
  y: number;
}

export interface Laid {
  boxes: Map<string, Placed>;
  lines: { edge: Edge; points: Placed[] }[];
  width: number;
  height: number;
}

/** Boxes up to which the better, slower way is taken. */
const CAREFUL = 250;
/** Boxes without an edge between them that stand in one column; more stand in several, one after the other. */
const TALL = 8;
const GAP_X = 56;
const GAP_Y = 18;
const MARGIN = 24;

export function laid(boxes: Box[], edges: Edge[], margin = MARGIN): Laid {
  const known = new Set(boxes.map((box) => box.id));
  const inside = edges.filter((edge) => known.has(edge.from) && known.has(edge.to) && edge.from !== edge.to);
  if (inside.length === 0 && boxes.length > TALL) return grid(boxes, margin);
  return boxes.length <= CAREFUL ? careful(boxes, inside, margin) : quick(boxes, inside, margin);
}

function grid(boxes: Box[], margin: number): Laid {
  // About as wide as a page for its height.
  const rows = Math.max(TALL, Math.ceil(Math.sqrt(2.2 * boxes.length)));
  const placed = new Map<string, Placed>();
  let x = margin;
  let width = 0;
  let y = margin;
  let height = 0;
  for (const [at, box] of boxes.entries()) {
    if (at > 0 && at % rows === 0) {
      x += width + GAP_Y;
      width = 0;
      y = margin;
    }
    placed.set(box.id, { x, y });
    width = Math.max(width, box.width);
    y += box.height + GAP_Y;
    height = Math.max(height, y - GAP_Y + margin);
  }
  return { boxes: placed, lines: [], width: x + width + margin, height };
}

function careful(boxes: Box[], edges: Edge[], margin: number): Laid {
  const graph = new Dagre();
  graph.setGraph({ rankdir: "LR", nodesep: GAP_Y, ranksep: GAP_X, marginx: margin, marginy: margin });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const box of boxes) graph.setNode(box.id, { width: box.width, height: box.height });
  for (const edge of edges) graph.setEdge(edge.from, edge.to);
  place(graph);
  const placed = new Map<string, Placed>();
  for (const box of boxes) {
    const { x, y } = graph.node(box.id) as unknown as Placed;
    placed.set(box.id, { x: x - box.width / 2, y: y - box.height / 2 });
  }
  const sizes = new Map(boxes.map((box) => [box.id, box]));
  const lines = edges.map((edge) => {
    // Lines leave on the right and arrive on the left, whatever the straight way between two middles would be.
    const points = (graph.edge(edge.from, edge.to) as unknown as { points: Placed[] }).points.slice(1, -1);
    const from = placed.get(edge.from) as Placed;
    const to = placed.get(edge.to) as Placed;
    const a = sizes.get(edge.from) as Box;
    const b = sizes.get(edge.to) as Box;
    const begin = { x: from.x + a.width, y: from.y + a.height / 2 };
    const end = { x: to.x, y: to.y + b.height / 2 };
    return { edge, points: points.length > 1 ? [begin, ...points, end] : [begin, end] };
  });
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return { boxes: placed, lines, width, height };
}

/** Columns by the longest way to a node, rows in the order in which the nodes came. */
function quick(boxes: Box[], edges: Edge[], margin: number): Laid {
  const column = new Map<string, number>();
  const after = new Map<string, string[]>();
  const waiting = new Map<string, number>(boxes.map((box) => [box.id, 0]));
  for (const edge of edges) {
    const known = after.get(edge.from);
    if (known) known.push(edge.to);
    else after.set(edge.from, [edge.to]);
    waiting.set(edge.to, (waiting.get(edge.to) ?? 0) + 1);
  }
  const ready = boxes.filter((box) => waiting.get(box.id) === 0).map((box) => box.id);
  for (const id of ready) column.set(id, 0);
  for (let at = 0; at < ready.length; at++) {
    const id = ready[at] as string;
    for (const next of after.get(id) ?? []) {
      column.set(next, Math.max(column.get(next) ?? 0, (column.get(id) ?? 0) + 1));
      const left = (waiting.get(next) ?? 0) - 1;
      waiting.set(next, left);
      if (left === 0) ready.push(next);
    }
  }
  const heights: number[] = [];
  const widths: number[] = [];
  for (const box of boxes) {
    const at = column.get(box.id) ?? 0;
    widths[at] = Math.max(widths[at] ?? 0, box.width);
  }
  const lefts: number[] = [];
  let x = margin;
  for (let at = 0; at < widths.length; at++) {
    lefts[at] = x;
    x += (widths[at] ?? 0) + GAP_X;
  }
  const placed = new Map<string, Placed>();
  const sizes = new Map<string, Box>();
  for (const box of boxes) {
    const at = column.get(box.id) ?? 0;
    const y = heights[at] ?? margin;
    placed.set(box.id, { x: lefts[at] ?? margin, y });
    sizes.set(box.id, box);
    heights[at] = y + box.height + GAP_Y;
  }
  const lines = edges.map((edge) => {
    const from = placed.get(edge.from) as Placed;
    const to = placed.get(edge.to) as Placed;
    const a = sizes.get(edge.from) as Box;
    const b = sizes.get(edge.to) as Box;
    return {
      edge,
      points: [
        { x: from.x + a.width, y: from.y + a.height / 2 },
        { x: to.x, y: to.y + b.height / 2 },
      ],
    };
  });
  return { boxes: placed, lines, width: x - GAP_X + margin, height: Math.max(margin, ...heights) - GAP_Y + margin };
}

/** Marks the box that stands for a moment at which several have ended and several begin: it is drawn as a dot. */
export const JOINT = "\u0000";

/** Where all of several come before all of several others, a joint between them in place of every line. */
export function joined(edges: Edge[]): { edges: Edge[]; joints: Box[] } {
  const before = new Map<string, string[]>();
  for (const edge of edges) {
    const known = before.get(edge.to);
    if (known) known.push(edge.from);
    else before.set(edge.to, [edge.from]);
  }
  const alike = new Map<string, { from: string[]; to: string[] }>();
  for (const [to, from] of before) {
    const key = [...from].sort().join("\n");
    const known = alike.get(key);
    if (known) known.to.push(to);
    else alike.set(key, { from, to: [to] });
  }
  const found: Edge[] = [];
  const joints: Box[] = [];
  for (const { from, to } of alike.values()) {
    if (from.length < 2 || to.length < 2) {
      for (const target of to) for (const source of from) found.push({ from: source, to: target, kind: "time" });
      continue;
    }
    const id = `${JOINT}${joints.length}`;
    joints.push({ id, width: 6, height: 6 });
    for (const source of from) found.push({ from: source, to: id, kind: "time" });
    for (const target of to) found.push({ from: id, to: target, kind: "time" });
  }
  return { edges: found, joints };
}

/** Of spans in time: which ends were the last before each began. Calls of a body have no edges; this is what was. */
export function succession(spans: { id: string; begin: number; end: number }[]): Edge[] {
  const byEnd = [...spans].sort((a, b) => a.end - b.end);
  const byBegin = [...spans].sort((a, b) => a.begin - b.begin);
  const edges: Edge[] = [];
  let at = 0;
  let latest = Number.NEGATIVE_INFINITY;
  const over: { id: string; begin: number; end: number }[] = [];
  for (const span of byBegin) {
    while (at < byEnd.length && (byEnd[at] as { end: number }).end <= span.begin) {
      const done = byEnd[at++] as { id: string; begin: number; end: number };
      if (done.id === span.id) continue;
      over.push(done);
      latest = Math.max(latest, done.begin);
    }
    // What ended before the last of those began is before that one, and need not be said again.
    for (let back = over.length - 1; back >= 0; back--) {
      const done = over[back] as { id: string; end: number };
      if (done.end <= latest) break;
      if (done.id !== span.id) edges.push({ from: done.id, to: span.id, kind: "time" });
    }
  }
  return edges;
}
