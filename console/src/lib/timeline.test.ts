import { describe, expect, it } from "vitest";
import type { TreeAttempt, TreeNode } from "./api";
import { listed } from "./listing";
import { barsOf, cellsOf, critical, marksOf, panned, since, stepOf, tookOf, zoomed } from "./timeline";

const ORIGIN = Date.parse("2026-11-22T10:00:00Z");
const iso = (seconds: number) => new Date(ORIGIN + seconds * 1000).toISOString();
const ms = (seconds: number) => ORIGIN + seconds * 1000;

function tried(launched: number, started: number | null, stopped: number | null, phase: TreeAttempt["phase"], fault: TreeAttempt["fault"] = ""): TreeAttempt {
  return { phase, fault, launched_at: iso(launched), started_at: started === null ? null : iso(started), ended_at: stopped === null ? null : iso(stopped) };
}

function node(path: string, more: Partial<TreeNode> = {}): TreeNode {
  const slash = path.lastIndexOf("/");
  return {
    ...{ path, parent: slash < 0 ? "" : path.slice(0, slash), kind: "task", entity: "m.t", name: `m.${path}`, phase: "SUCCEEDED", line: "", role: "", bracket: "" },
    ...{ upstream: [], data: [], created_at: iso(0), queued_at: iso(0), started_at: iso(1), ended_at: iso(2), attempts: [], length: null, cached: false },
    ...{ grafted_from: "", recovered_from: "", replaced: false, waits_for: null, error: null, takes: {}, hint: "", group: "", replaced_by: "", again: false },
    ...more,
  } as TreeNode;
}

const told = (one: TreeNode, at = 100) => barsOf(one, ms(at)).bars.map((bar) => `${bar.meaning} ${bar.ink} ${(bar.begin - ORIGIN) / 1000} ${(bar.end - ORIGIN) / 1000}`);

describe("bars", () => {
  it("are one for each try, and what was between them", () => {
    const attempts = [tried(1, 2, 4, "FAILED", "user"), tried(5, 5.5, 7, "FAILED", "lost"), tried(7, 8, 9, "SUCCEEDED")];
    expect(told(node("n0", { attempts, ended_at: iso(9) }))).toEqual([
      "queue wait 0 1", "start wait 1 2", "work bad 2 4", "retry wait 4 5", "start wait 5 5.5", "work stop 5.5 7", "start wait 7 8", "work good 8 9",
    ]);
  });

  it("go on until now where nothing has ended", () => {
    expect(told(node("n0", { phase: "RUNNING", attempts: [tried(1, 2, null, "RUNNING")], ended_at: null }), 6)).toEqual(["queue wait 0 1", "start wait 1 2", "work run 2 6"]);
    expect(told(node("n0", { phase: "QUEUED", started_at: null, ended_at: null }), 6)).toEqual(["queue wait 0 6"]);
    expect(told(node("n0", { phase: "QUEUED", attempts: [tried(0, 0, 4, "FAILED", "user")], ended_at: null }), 6)).toEqual(["work bad 0 4", "retry wait 4 6"]);
  });

  it("tell sleep, gates and what was kept apart", () => {
    const parked = [tried(0, 0, 3, "PAUSED"), tried(60, 61, 62, "SUCCEEDED")];
    expect(told(node("n0", { kind: "eager", attempts: parked, ended_at: iso(62) }))).toEqual(["work good 0 3", "sleep hold 3 60", "start wait 60 61", "work good 61 62"]);
    expect(told(node("n0", { kind: "gate", phase: "PAUSED", started_at: null, ended_at: null }), 9)).toEqual(["gate hold 0 9"]);
    expect(told(node("n0", { kind: "gate", phase: "TIMED_OUT", ended_at: iso(8) }))).toEqual(["gate bad 0 8"]);
    expect(told(node("n0", { cached: true, ended_at: iso(0.5) }))).toEqual(["kept good 0 0.5"]);
    expect(told(node("n0", { phase: "SKIPPED" }))).toEqual([]);
  });

  it("never go backwards where clocks disagree, and say that they do", () => {
    for (const begun of [-3600, -5, 1, 3600]) {
      const { bars, crooked } = barsOf(node("n0", { attempts: [tried(1, begun, 4, "SUCCEEDED")], ended_at: iso(4) }), ms(10));
      expect(crooked).toBe(begun !== 1);
      expect(bars.every((bar, at) => bar.end >= bar.begin && bar.begin >= (bars[at - 1]?.end ?? ORIGIN))).toBe(true);
    }
    expect(tookOf(node("n0", { started_at: iso(9), ended_at: iso(2) }), ms(10))).toBe(0);
    expect(tookOf(node("n0", { phase: "RUNNING", started_at: iso(9), ended_at: null }), ms(2))).toBe(0);
  });
});

describe("an axis", () => {
  it("has steps that people count in, and never too many marks", () => {
    for (const length of [1, 7, 45, 999, 4_700, 59_000, 61_000, 3.5e6, 9e7, 3e9]) {
      for (const most of [2, 5, 12]) {
        const marks = marksOf(ORIGIN, ORIGIN + length, ORIGIN, most);
        expect(marks.length).toBeLessThanOrEqual(most + 1);
        expect(new Set(marks.map((mark) => mark.since)).size).toBe(marks.length);
      }
    }
    expect(stepOf(60_000, 5)).toBe(15_000);
  });

  it("begins anywhere", () => {
    const marks = marksOf(ORIGIN + 1_250, ORIGIN + 2_100, ORIGIN, 4);
    expect(marks.map((mark) => mark.since)).toEqual(["1.5 s", "2.0 s"]);
    expect(marks[0]?.at).toBe(ORIGIN + 1_500);
  });

  it("says how far as exactly as its step is", () => {
    expect([since(0, 1), since(250, 50), since(90_000, 30_000), since(3_660_000, 60_000), since(90 * 3_600_000, 3_600_000)]).toEqual(["0", "250 ms", "1 min 30 s", "1 h 1 min", "3 d 18 h"]);
  });

  it("is zoomed around what is under the pointer, and stays inside", () => {
    const zoom = zoomed(null, 0.5, 0.25);
    expect(zoom).toEqual([0.125, 0.625]);
    expect(zoomed(zoom, 4)).toBe(null);
    expect(panned(zoom, 10)).toEqual([0.5, 1]);
    expect(panned(zoom, -10)).toEqual([0, 0.5]);
    let deep = zoom;
    for (let count = 0; count < 100; count++) deep = zoomed(deep, 0.5, 1);
    expect((deep?.[1] ?? 0) - (deep?.[0] ?? 0)).toBeGreaterThan(0);
  });
});

describe("what an end waited for", () => {
  const tree = (...nodes: TreeNode[]) => {
    const children = new Map<string, TreeNode[]>();
    for (const each of nodes) children.set(each.parent, [...(children.get(each.parent) ?? []), each]);
    return [...critical(children, new Map(nodes.map((each) => [each.path, each])), ms(100))].sort();
  };
  const made = (path: string, begin: number, end: number | null, more: Partial<TreeNode> = {}) =>
    node(path, { created_at: iso(begin), started_at: iso(begin), ended_at: end === null ? null : iso(end), phase: end === null ? "RUNNING" : "SUCCEEDED", ...more });

  it("follows the edges of a graph back from what ended last", () => {
    expect(tree(made("a", 0, 3), made("b", 0, 5), made("c", 5, 6, { upstream: ["a", "b"] }), made("d", 0, 4))).toEqual(["b", "c"]);
  });

  it("follows time where there are no edges", () => {
    const body = node("e", { kind: "eager", ended_at: iso(20) });
    expect(tree(body, made("e/a", 0, 3), made("e/b", 0, 5), made("e/c", 5, 9), made("e/d", 9.5, 20))).toEqual(["e", "e/b", "e/c", "e/d"]);
  });

  it("goes inside, and takes of a map the last item only", () => {
    const map = node("m", { kind: "array", ended_at: iso(9) });
    expect(tree(map, made("m/0", 0, 3), made("m/1", 3, 9), made("m/2", 0, 2))).toEqual(["m", "m/1"]);
  });

  it("is what runs now, for as long as it runs, and nothing that was skipped or replaced", () => {
    expect(tree(made("a", 0, 3), made("b", 3, null, { upstream: ["a"] }), made("c", 0, 200, { replaced: true }), made("d", 0, 300, { phase: "SKIPPED" }))).toEqual(["a", "b"]);
  });

  it("of ten thousand calls in a row is found at once", () => {
    const calls = Array.from({ length: 10_000 }, (_, at) => made(`e/${at}x`, at, at + 1));
    expect(tree(node("e", { kind: "eager", ended_at: iso(10_000) }), ...calls).length).toBeGreaterThan(99);
  });
});

describe("a strip", () => {
  it("has a cell for each item where there is room", () => {
    expect(cellsOf(["good", "bad", "run"], 90)).toEqual([{ ink: "good", first: 0, last: 0 }, { ink: "bad", first: 1, last: 1 }, { ink: "run", first: 2, last: 2 }]);
  });

  it("shows the worst of several where there is none, and leaves nobody out", () => {
    const inks = Array.from({ length: 10_007 }, (_, at) => (at === 5_000 ? "bad" : at % 2 ? "good" : "wait") as "bad" | "good" | "wait");
    const cells = cellsOf(inks, 500);
    expect(cells.length).toBe(166);
    expect(cells.filter((cell) => cell.ink === "bad").length).toBe(1);
    expect(cells.every((cell, at) => cell.first === (cells[at - 1]?.last ?? -1) + 1)).toBe(true);
    expect(cells.at(-1)?.last).toBe(10_006);
  });

  it("of nothing has one cell at most", () => {
    expect(cellsOf([], 100)).toEqual([]);
    expect(cellsOf(["good"], 0)).toEqual([{ ink: "good", first: 0, last: 0 }]);
  });
});

describe("a table of nodes", () => {
  const nodes = [
    node("n0", { name: "m.load", ended_at: iso(3) }),
    node("n1", { name: "m.Alpha", phase: "FAILED", ended_at: iso(9), error: "ValueError: no" }),
    node("n2", { name: "m.wait", phase: "QUEUED", started_at: null, queued_at: null, ended_at: null }),
  ];
  const paths = (...rest: [string, Set<"bad" | "good">, Parameters<typeof listed>[3], boolean]) => listed(nodes, ...rest, ms(10)).map((each) => each.path);

  it("is ordered by what is asked, and what has no value is last both ways", () => {
    expect(paths("", new Set(), "took", false)).toEqual(["n0", "n1", "n2"]);
    expect(paths("", new Set(), "took", true)).toEqual(["n1", "n0", "n2"]);
    expect(paths("", new Set(), "name", false)).toEqual(["n1", "n0", "n2"]);
    expect(paths("", new Set(), "phase", false)).toEqual(["n1", "n2", "n0"]);
    expect(paths("", new Set(), "made", true)).toEqual(["n2", "n1", "n0"]);
  });

  it("has what is looked for, errors too", () => {
    expect(paths("valueerror", new Set(), "made", false)).toEqual(["n1"]);
    expect(paths("", new Set(["good"]), "made", false)).toEqual(["n0"]);
  });
});
