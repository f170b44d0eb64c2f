import { describe, expect, test } from "vitest";
import type { TreeNode } from "./api";
import { JOINT } from "./layout";
import { chart, neighbour, reached, scopeId, Scenes, silent, type Scene } from "./scene";
import { label } from "./segments";

function row(path: string, more: Partial<TreeNode> = {}): TreeNode {
  const cut = path.lastIndexOf("/");
  return {
    path, parent: cut < 0 ? "" : path.slice(0, cut), kind: "task", entity: "m.double", name: "m.double", phase: "SUCCEEDED", line: "", role: "", bracket: "",
    upstream: [], data: [], created_at: null, queued_at: null, started_at: null, ended_at: null, attempts: [], length: null, cached: false, grafted_from: "",
    recovered_from: "", replaced: false, waits_for: null, error: null, takes: {}, hint: "", group: "", replaced_by: "", again: false, ...more,
  };
}

function at(second: number): string {
  return new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
}

function source(rows: TreeNode[]) {
  const children = new Map<string, TreeNode[]>();
  for (const each of rows) children.set(each.parent, [...(children.get(each.parent) ?? []), each]);
  return { children, nodes: new Map(rows.map((each) => [each.path, each])) };
}

function made(rows: TreeNode[], open: (id: string) => boolean = () => true): Scene {
  return new Scenes(source(rows), { open, wide: () => 130 }).make();
}

function edges(scene: Scene): string[] {
  return scene.laid.lines.map(({ edge }) => `${edge.from}>${edge.to} ${edge.kind}`.replaceAll("\u0000", "*")).sort();
}

const body = row("n0", { kind: "eager" });
const call = (key: string, group: string, begin: number, end: number, more: Partial<TreeNode> = {}): TreeNode =>
  row(`n0/${key}`, { group, created_at: at(begin), ended_at: at(end), ...more });

describe("scopes", () => {
  const rows = [
    body,
    call("1", "", 0, 1),
    call("2", "gather#1", 1, 2),
    call("3", "gather#1", 2, 4),
    call("a", "TaskGroup#1/chain.1/gather#1", 4, 5),
    call("b", "TaskGroup#1/chain.1", 5, 6),
    call("c", "TaskGroup#1", 4, 7),
  ];

  test("nest as the tasks do", () => {
    const inside = made(rows).inner.get("n0") as Scene;
    expect([...inside.scopes.values()].map((scope) => [scope.label, scope.members.length])).toEqual([["gather", 2], ["TaskGroup", 3]]);
    const group = inside.inner.get(scopeId("n0", "TaskGroup#1")) as Scene;
    expect([...group.scopes.values()].map((scope) => scope.label)).toEqual(["chain 1"]);
    const chain = group.inner.get(scopeId("n0", "TaskGroup#1/chain.1")) as Scene;
    expect([...chain.boxes.keys()]).toEqual([scopeId("n0", "TaskGroup#1/chain.1/gather#1"), "n0/b"]);
  });

  test("come after each other as one, and what is in a gather came together", () => {
    const inside = made(rows).inner.get("n0") as Scene;
    expect(edges(inside)).toEqual([`n0/1>${scopeId("n0", "gather#1")} time`, `${scopeId("n0", "gather#1")}>${scopeId("n0", "TaskGroup#1")} time`].sort());
    expect(edges(inside.inner.get(scopeId("n0", "gather#1")) as Scene)).toEqual([]);
  });

  test("are one box when they are folded", () => {
    const inside = made(rows, (id) => id === "n0").inner.get("n0") as Scene;
    expect(inside.inner.size).toBe(0);
    expect(inside.boxes.size).toBe(3);
  });

  test("data goes from box to box, in place of the order in time", () => {
    const inside = made([body, call("1", "", 0, 1), call("2", "gather#1", 1, 2, { data: ["n0/1"] })]).inner.get("n0") as Scene;
    expect(edges(inside)).toEqual([`n0/1>${scopeId("n0", "gather#1")} data`]);
  });

  test("a body with one large gather is drawn open: the gather is one box", () => {
    const seen: number[] = [];
    const many = Array.from({ length: 300 }, (_, key) => call(`${key}`, "gather#1", 0, 1));
    new Scenes(source([body, ...many]), { open: (id, below) => (seen.push(below), id === "n0"), wide: () => 130 }).make();
    expect(seen).toEqual([1, 300]);
  });
});

test("what was replaced leads to what stands there now, and takes no part in the order", () => {
  const inside = made([
    body,
    call("1", "", 0, 1),
    call("2", "", 1, 2, { replaced: true, replaced_by: "n0/2~2" }),
    call("2~2", "", 8, 9),
    call("3", "", 9, 9, { grafted_from: "n0/2" }),
  ]).inner.get("n0") as Scene;
  expect(edges(inside)).toEqual(["n0/1>n0/2~2 time", "n0/2>n0/2~2 swap", "n0/2>n0/3 swap", "n0/2~2>n0/3 time"]);
});

test("labels", () => {
  expect(["gather#2", "TaskGroup#1", "chain.3", "a.b.1", "retry.1"].map(label)).toEqual(["gather", "TaskGroup", "chain 3", "a.b 1", "retry 1"]);
});

test("a layout is made again only where something is another", () => {
  const rows = [row("n0", { kind: "workflow" }), row("n0/a"), row("n0/b", { upstream: ["n0/a"] }), row("n1", { upstream: ["n0"] })];
  const from = source(rows);
  const scenes = new Scenes(from, { open: () => true, wide: () => 130 });
  const before = scenes.make();
  from.children.get("")?.push(row("n2"));
  const after = scenes.make();
  expect(after.inner.get("n0")?.laid).toBe(before.inner.get("n0")?.laid);
  expect(after.laid).not.toBe(before.laid);
});

test("250 boxes are placed, and not again while they are the same", () => {
  const rows = [body, ...Array.from({ length: 250 }, (_, key) => call(`${key}`, key % 3 ? `gather#${Math.floor(key / 10)}` : "", key, key + 1))];
  const scenes = new Scenes(source(rows), { open: () => true, wide: () => 130 });
  const laid = (scene: Scene): unknown[] => [scene.laid, ...[...scene.inner.values()].flatMap(laid)];
  const first = laid(scenes.make());
  const again = laid(scenes.make());
  expect(again).toHaveLength(first.length);
  again.forEach((each, at) => expect(each).toBe(first[at]));
});

describe("arrow keys", () => {
  const scene = made([row("a"), row("b", { upstream: ["a"] }), row("c", { upstream: ["a"] }), row("d", { upstream: ["b", "c"] })]);
  const map = chart(scene);

  test("go along the edges", () => {
    const next = neighbour(map, "a", "right") as string;
    expect(["b", "c"]).toContain(next);
    expect(neighbour(map, next, "right")).toBe("d");
    expect(neighbour(map, next, "left")).toBe("a");
    expect(neighbour(map, "d", "right")).toBeNull();
  });

  test("and to what stands above and below", () => {
    const up = neighbour(map, "b", "up") ?? neighbour(map, "b", "down");
    expect(up).not.toBeNull();
    expect(neighbour(map, "nowhere", "up")).toBe("a");
  });

  test("joints are passed through", () => {
    const rows = [body, call("1", "", 0, 1), call("2", "", 0, 1), call("3", "", 1, 2), call("4", "", 1, 2)];
    const spots = chart(made(rows));
    expect([...spots.spots.keys()].some((id) => id.startsWith(JOINT))).toBe(false);
    expect(spots.after.get("n0/1")?.sort()).toEqual(["n0/3", "n0/4"]);
  });
});

describe("the way of an input", () => {
  const rows = [
    row("inner", { kind: "workflow", takes: { x: ["a"], y: ["b"] } }),
    row("inner/one", { takes: { a: ["x"] } }),
    row("inner/two", { takes: { b: ["x"] } }),
    row("inner/three", { data: ["inner/two"], upstream: ["inner/two"] }),
    row("which", { kind: "branch", takes: { y: [] } }),
    row("which/arm", { takes: { y: ["x"] } }),
    row("map", { kind: "array", data: ["which"] }),
    row("map/0"),
    row("other"),
  ];

  test("goes inside by the name that it has there", () => {
    expect([...reached(source(rows), "x")].sort()).toEqual(["inner", "inner/one"]);
  });

  test("and on with what was made of it, through branches and into maps", () => {
    expect([...reached(source(rows), "y")].sort()).toEqual(["inner", "inner/three", "inner/two", "map", "map/0", "which", "which/arm"]);
  });

  test("is not known in a body of whose calls nothing is proven", () => {
    const calls = [row("n0", { kind: "eager", takes: { x: ["x"] } }), row("n0/1"), row("n1", { kind: "eager", takes: { x: ["x"] } }), row("n1/1", { takes: { x: ["xs"] } }), row("n1/2")];
    const lit = reached(source(calls), "x");
    expect([...silent(source(calls), lit)]).toEqual(["n0"]);
  });

  test("of no name goes nowhere", () => {
    expect(reached(source(rows), "z").size).toBe(0);
  });
});
