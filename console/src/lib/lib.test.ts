import { describe, expect, it } from "vitest";
import { pieces } from "./ansi";
import { Parser } from "../api/stream";
import { joined, laid, succession, type Edge } from "./layout";

describe("events", () => {
  const bytes = new TextEncoder().encode('id: 1\nevent: run\ndata: {"a":"ä\\n"}\n\n: still here\n\nevent: two\ndata: x\ndata: y\n\nevent: never ended\n');

  it("are the same however the bytes are cut", () => {
    const whole = new Parser().feed(bytes);
    expect(whole).toEqual([
      { kind: "run", data: '{"a":"ä\\n"}', id: "1" },
      { kind: "two", data: "x\ny", id: "" },
    ]);
    for (let at = 1; at < bytes.length; at++) {
      const parser = new Parser();
      expect([...parser.feed(bytes.slice(0, at)), ...parser.feed(bytes.slice(at))]).toEqual(whole);
    }
  });
});

describe("escape sequences", () => {
  it("become classes, and never markup", () => {
    expect(pieces("a\u001b[1;31m<b>\u001b[0mc")).toEqual([
      { text: "a", style: "" },
      { text: "<b>", style: "ansi-red ansi-bold" },
      { text: "c", style: "" },
    ]);
  });

  it("that say something else are left out", () => {
    expect(pieces("\u001b]0;title\u0007a\u001b[2Kb\u001b[38;5;9mc").map((piece) => piece.text).join("")).toBe("abc");
  });
});

describe("a layout", () => {
  const boxes = (count: number) => Array.from({ length: count }, (_, at) => ({ id: `n${at}`, width: 100, height: 40 }));
  const chain = (count: number): Edge[] => Array.from({ length: count - 1 }, (_, at) => ({ from: `n${at}`, to: `n${at + 1}`, kind: "data" }));

  it.each([5, 400])("of a chain of %i goes to the right, and no two boxes overlap", (count) => {
    const { boxes: placed } = laid(boxes(count), chain(count));
    for (let at = 1; at < count; at++) {
      const before = placed.get(`n${at - 1}`);
      const after = placed.get(`n${at}`);
      expect(after?.x).toBeGreaterThanOrEqual((before?.x ?? 0) + 100);
    }
  });

  it("of 10,000 boxes in a circle of edges ends", () => {
    const edges = [...chain(10_000), { from: "n9999", to: "n0", kind: "order" } as Edge];
    expect(laid(boxes(10_000), edges).boxes.size).toBe(10_000);
  });

  it("leaves out edges to what is not drawn", () => {
    expect(laid(boxes(2), [{ from: "n0", to: "elsewhere", kind: "data" }]).lines).toEqual([]);
  });
});

describe("what came after what", () => {
  it("names the last ones before, and none twice", () => {
    const edges = succession([
      { id: "a", begin: 0, end: 10 },
      { id: "b", begin: 0, end: 12 },
      { id: "c", begin: 20, end: 30 },
      { id: "d", begin: 40, end: Number.POSITIVE_INFINITY },
    ]);
    expect(edges.map(({ from, to }) => from + to).sort()).toEqual(["ac", "bc", "cd"]);
  });

  it("has one joint where all of a round are before all of the next", () => {
    const round = (name: string, begin: number) => [0, 1, 2].map((at) => ({ id: `${name}${at}`, begin, end: begin + 5 }));
    const { edges, joints } = joined(succession([...round("a", 0), ...round("b", 10), { id: "c", begin: 20, end: 30 }]));
    expect(joints).toHaveLength(1);
    expect(edges).toHaveLength(3 + 3 + 3);
  });

  it("says nothing of those that overlap", () => {
    expect(succession([{ id: "a", begin: 0, end: 10 }, { id: "b", begin: 5, end: 15 }])).toEqual([]);
  });
});
