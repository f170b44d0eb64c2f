import { describe, expect, it } from "vitest";
import { marked, pieces, settled } from "./ansi";
import type { WrittenLine } from "./api";
import { heightOf, KEPT, LogPages, PAGE, rowAt, topOf } from "./logpages";

const line = (number: number): WrittenLine => ({ number, node: "n0", attempt: 1, stream: "stdout", level: "", at: null, text: `line ${number}`, cut: false });
const some = (first: number, count: number) => Array.from({ length: count }, (_, at) => line(first + at));

describe("lines of a log", () => {
  it("that are missing are asked for by page, and no others", () => {
    const pages = new LogPages();
    pages.total = 1_000_000;
    pages.put(some(PAGE, PAGE));
    expect(pages.missing(PAGE, PAGE)).toEqual([]);
    expect(pages.missing(PAGE - 1, PAGE + 2)).toEqual([0, 2 * PAGE]);
    expect(pages.get(PAGE + 3)?.text).toBe(`line ${PAGE + 3}`);
    expect(pages.get(3)).toBe(undefined);
    pages.total = PAGE + 5;
    pages.put(some(0, PAGE));
    expect(pages.missing(0, 10 * PAGE)).toEqual([]);
    expect(pages.missing(PAGE + 5, 10)).toEqual([]);
  });

  it("are a bounded number, the last seen ones", () => {
    const pages = new LogPages();
    pages.total = 1_000_000;
    pages.put(some(0, 10));
    for (let at = 1; at < 4 * KEPT; at++) {
      pages.missing(0, 10);
      pages.put(some(at * PAGE, PAGE));
    }
    expect(pages.size).toBe(KEPT);
    expect(pages.get(5)?.number).toBe(5);
    expect(pages.get(PAGE)).toBe(undefined);
    expect(pages.get((4 * KEPT - 1) * PAGE)?.number).toBe((4 * KEPT - 1) * PAGE);
  });

  it("that come again replace those that were unfinished", () => {
    const pages = new LogPages();
    pages.total = 1;
    pages.put([line(0)]);
    pages.put([{ ...line(0), text: "all of it" }]);
    expect(pages.get(0)?.text).toBe("all of it");
  });
});

describe("scrolling", () => {
  it.each([10, 5_000, 1_000_000, 50_000_000])("reaches every one of %i lines", (total) => {
    const height = 400;
    expect(heightOf(total, 18)).toBeLessThanOrEqual(8_000_000);
    for (const share of [0, 0.3, 0.777, 1]) {
      const wanted = Math.max(0, Math.floor(share * (total - height / 18)));
      const top = topOf(wanted, total, 18, height);
      expect(Math.abs(rowAt(top, total, 18, height) - wanted)).toBeLessThan(0.01);
    }
    // All the way down is the last line.
    const most = Math.max(0, heightOf(total, 18) - height);
    expect(rowAt(most, total, 18, height) + height / 18).toBeGreaterThanOrEqual(Math.min(total, total - 0.01));
  });
});

describe("a line", () => {
  it("that was drawn over is what was drawn last", () => {
    expect([settled("10 %\r50 %\r100 %"), settled("done\r"), settled("plain")]).toEqual(["100 %", "done", "plain"]);
  });

  it("shows what cannot be seen", () => {
    expect(pieces("\u001b[31mred\u0008 x\u202ey\ttab").map((piece) => piece.text)).toEqual(["red␈ x⟨RLO⟩y\ttab"]);
  });

  it("in colours of 256 and of all is no other style", () => {
    expect(pieces("\u001b[38;5;1mred\u001b[0m \u001b[38;5;200mrest\u001b[38;2;1;4;3mtrue\u001b[48;5;4mback")).toEqual([
      { text: "red", style: "ansi-red" },
      { text: " ", style: "" },
      { text: "rest", style: "" },
      { text: "true", style: "" },
      { text: "back", style: "" },
    ]);
  });

  it("is marked where it has what is looked for", () => {
    expect(marked([{ text: "One one", style: "s" }], "one", false).map((part) => [part.text, part.hit])).toEqual([["One", true], [" ", false], ["one", true]]);
    expect(marked([{ text: "One one", style: "s" }], "one", true).map((part) => [part.text, part.hit])).toEqual([["One ", false], ["one", true]]);
    expect(marked([{ text: "İx", style: "" }], "x", false)).toEqual([{ text: "İx", style: "", hit: true }]);
  });
});
