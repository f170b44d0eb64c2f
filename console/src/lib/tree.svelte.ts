// The nodes of a run as they are now. Rows come in batches; what is drawn of them is drawn once a frame.

import { address, ofRun, type Refused, type NodeProgress, type RunRow, type TreeNode } from "./api";
import { follow } from "./follow";
import { INKS, type Ink } from "./phases";
import { clockSays, millis, serverSays } from "./time.svelte";

export interface Shown {
  node: TreeNode;
  depth: number;
  children: number;
  folded: boolean;
}

export type Counts = Record<Ink, number>;

const UNFOLDED = 12;
/** Of a map's items, how many are shown at first when it is unfolded. */
export const PAGE = 100;

export function noCounts(): Counts {
  return { wait: 0, run: 0, good: 0, bad: 0, stop: 0, hold: 0, skip: 0 };
}

export class RunTree {
  readonly nodes = new Map<string, TreeNode>();
  readonly children = new Map<string, TreeNode[]>();
  readonly progress = new Map<string, NodeProgress>();
  row = $state.raw<RunRow | null>(null);
  /** Counts up with every change that is to be drawn. */
  version = $state(0);
  over = $state(false);
  /** The node that something elsewhere on the page speaks of. */
  hinted = $state("");
  /** The calls that others stand in the place of, as the code has changed. */
  readonly replaced = new Set<string>();
  /** What the server refused, for good. */
  wrong = $state.raw<Refused | null>(null);
  /** Where each stands among its siblings. */
  readonly #places = new Map<string, number>();
  readonly #folds = new Map<string, boolean>();
  /** What was said of all, those too that are yet to come. */
  #all: boolean | null = null;
  readonly #more = new Map<string, number>();
  /** Counts up when tasks have said how far they are: that changes no row. */
  #steps = $state(0);
  #said = "";
  #changed = false;
  #drawing = 0;
  #leave: () => void;

  constructor(readonly run: string) {
    this.#leave = follow(
      address(ofRun(run, "tree")),
      (heard) => this.#hear(heard.kind, heard.data),
      (error) => (this.wrong = error),
    );
  }

  close(): void {
    this.#leave();
    cancelAnimationFrame(this.#drawing);
  }

  #hear(kind: string, data: string): void {
    if (kind === "nodes") this.take(JSON.parse(data) as TreeNode[]);
    else if (kind === "run") {
      // It comes with every batch, and mostly says the same.
      if (data === this.#said) return;
      this.#said = data;
      this.row = JSON.parse(data) as RunRow;
      serverSays(this.row.ended_at ?? this.row.started_at ?? this.row.created_at);
    } else if (kind === "clock") clockSays(millis((JSON.parse(data) as { now: string }).now) ?? Number.NaN);
    else if (kind === "progress") {
      const said = JSON.parse(data) as { path: string; progress: NodeProgress };
      this.progress.set(said.path, said.progress);
      this.#draw(false);
    } else if (kind === "end") this.over = true;
  }

  /** Rows that are new, or have changed. */
  take(rows: TreeNode[]): void {
    for (const row of rows) {
      // What has changed is another object: whoever shows it is drawn again, and nobody else.
      const place = this.#places.get(row.path);
      let siblings = this.children.get(row.parent);
      if (siblings === undefined) this.children.set(row.parent, (siblings = []));
      if (place === undefined) {
        this.#places.set(row.path, siblings.length);
        siblings.push(row);
      } else siblings[place] = row;
      this.nodes.set(row.path, row);
      if (row.replaced && !row.again) this.replaced.add(row.path);
      serverSays(row.ended_at ?? row.started_at ?? row.created_at);
    }
    this.#draw(true);
  }

  #draw(changed: boolean): void {
    this.#changed ||= changed;
    if (this.#drawing) return;
    this.#drawing = requestAnimationFrame(() => {
      this.#drawing = 0;
      if (this.#changed) this.version += 1;
      else this.#steps += 1;
      this.#changed = false;
    });
  }

  // --- folding

  folded(node: TreeNode): boolean {
    const said = this.#folds.get(node.path) ?? this.#all;
    if (said !== null) return said;
    const below = this.children.get(node.path)?.length ?? 0;
    // What somebody watches grow must not fold by itself: of the outermost nodes only maps are.
    return node.kind === "array" ? below > UNFOLDED : below > 200 && node.parent !== "";
  }

  fold(path: string, folded: boolean): void {
    this.#folds.set(path, folded);
    this.version += 1;
  }

  foldAll(folded: boolean): void {
    this.#folds.clear();
    this.#all = folded;
    this.version += 1;
  }

  limit(path: string): number {
    const said = this.#more.get(path);
    if (said !== undefined) return said;
    const node = this.nodes.get(path);
    return !node || (node.parent === "" && node.kind !== "array") ? Number.POSITIVE_INFINITY : PAGE;
  }

  more(path: string): void {
    this.#more.set(path, this.limit(path) * 10);
    this.version += 1;
  }

  /** Everything above `path` is unfolded, so that it can be seen. */
  reveal(path: string): void {
    let node = this.nodes.get(path);
    while (node?.parent) {
      const parent: TreeNode | undefined = this.nodes.get(node.parent);
      if (!parent) break;
      if (this.folded(parent)) this.#folds.set(parent.path, false);
      const at = this.#places.get(node.path) ?? 0;
      if (at >= this.limit(parent.path)) this.#more.set(parent.path, at + PAGE);
      node = parent;
    }
    this.version += 1;
  }

  /** A node as it is now; whoever asks is drawn again when something changes. So it is with what follows. */
  node(path: string): TreeNode | undefined {
    void this.version;
    return this.nodes.get(path);
  }

  far(path: string): NodeProgress | undefined {
    void this.version;
    void this.#steps;
    return this.progress.get(path);
  }

  get size(): number {
    void this.version;
    return this.nodes.size;
  }

  /** The rows to draw, in order, those that are folded away left out; with `text`, only what has it and what is above. */
  shown(text = ""): Shown[] {
    void this.version;
    const wanted = text.trim().toLowerCase();
    const keep = wanted ? this.#matching(wanted) : null;
    const rows: Shown[] = [];
    const walk = (parent: string, depth: number): void => {
      const all = this.children.get(parent) ?? [];
      const limit = keep ? Number.POSITIVE_INFINITY : this.limit(parent);
      let count = 0;
      for (const node of all) {
        if (keep && !keep.has(node.path)) continue;
        if (count++ >= limit) break;
        const below = this.children.get(node.path)?.length ?? 0;
        const folded = below > 0 && !keep && this.folded(node);
        rows.push({ node, depth, children: below, folded });
        if (below > 0 && !folded) walk(node.path, depth + 1);
      }
    };
    walk("", 0);
    return rows;
  }

  #matching(wanted: string): Set<string> {
    const keep = new Set<string>();
    for (const node of this.nodes.values()) {
      if (!(node.path.toLowerCase().includes(wanted) || node.name.toLowerCase().includes(wanted) || node.entity.toLowerCase().includes(wanted))) continue;
      let at: TreeNode | undefined = node;
      while (at && !keep.has(at.path)) {
        keep.add(at.path);
        at = at.parent ? this.nodes.get(at.parent) : undefined;
      }
    }
    return keep;
  }

  /** What is directly below `path`, in order: of a map its items. */
  items(path: string): TreeNode[] {
    void this.version;
    return this.children.get(path)?.slice() ?? [];
  }

  /** How many of the nodes below `path` (of all of them, for "") that are made of no others are in which state. */
  counts(path: string): Counts {
    void this.version;
    const counts = noCounts();
    const walk = (parent: string): void => {
      for (const node of this.children.get(parent) ?? []) {
        if (node.replaced) continue;
        if (this.children.has(node.path)) walk(node.path);
        else counts[INKS[node.phase]] += 1;
      }
    };
    walk(path);
    return counts;
  }

  /** The first and the last moment of the run, in milliseconds; `at` is the end of what goes on. */
  extent(at: number): [number, number] {
    void this.version;
    const begin = millis(this.row?.started_at ?? this.row?.created_at ?? null) ?? at;
    const end = millis(this.row?.ended_at ?? null) ?? at;
    return [begin, Math.max(end, begin + 1)];
  }
}
