import { describe, expect, it } from "vitest";
import type { Shown } from "./api";
import { asked, bytes, copied, drawn, figure, inline, numbers, short, spelled, tabular } from "./values";

const text = (of: string): string => of.replace(/\u202f/g, " ");

describe("figures", () => {
  it.each([
    [1, "1"],
    [2026, "2026"],
    [12345, "12 345"],
    [-1234567, "-1 234 567"],
    ["1152921504606846977", "1 152 921 504 606 846 977"],
    [0.30000000000000004, "0.3"],
    [3.14159265358979, "3.141593"],
    [1234567.891, "1 234 568"],
    [0.5, "0.5"],
    ["2.0", "2.0"],
    ["NaN", "NaN"],
    ["-Infinity", "-Infinity"],
    [1e-12, "1e-12"],
    [1.23456789e-10, "1.234568e-10"],
  ])("%s", (value, shown) => expect(text(figure(value))).toBe(shown));

  it.each([
    [-1, ""],
    [1, "1 byte"],
    [999, "999 bytes"],
    [1000, "1.0 kB"],
    [64_000, "64 kB"],
    [999_700, "1.0 MB"],
    [50_000_000, "50 MB"],
    [5e12, "5.0 TB"],
  ])("bytes %s", (count, shown) => expect(bytes(count)).toBe(shown));
});

const LIST: Shown = { kind: "list", length: 2, items: [1, { kind: "float", text: "2.0" }] };

describe("what is copied", () => {
  it("is exact", () => {
    expect(copied({ kind: "integer", text: "9007199254740993" })).toBe("9007199254740993");
    expect(copied("a\nb")).toBe("a\nb");
    expect(JSON.parse(copied(LIST) ?? "")).toEqual([1, 2]);
    expect(JSON.parse(copied({ kind: "map", length: 1, fields: [["<b>", { kind: "date", text: "2026-01-01" }]] }) ?? "")).toEqual({ "<b>": "2026-01-01" });
    expect(copied({ kind: "file", name: "a", uri: "blob:a", format: "", bytes: 1, link: "" })).toBe("blob:a");
  });
  it("is nothing where not all of it is here", () => {
    expect(copied({ kind: "list", length: 3, items: [1] })).toBeNull();
    expect(copied({ kind: "list", length: 1, items: [{ kind: "string", text: "x", bytes: 9 }] })).toBeNull();
    expect(copied({ kind: "map", length: 1, fields: [["a", { kind: "more", bytes: 1, length: -1 }]] })).toBeNull();
    expect(copied({ kind: "string", text: "x", bytes: 9 })).toBeNull();
  });
  it("is found again", () => {
    expect(spelled("o0", ['a"b', 3])).toBe('o0["a\\"b"][3]');
    expect(asked({ run: "r", node: "", side: "inputs", name: "x" }, ["a", 1], { offset: 2 })).toEqual({ name: "x", side: "inputs", node: undefined, at: '["a",1]', offset: 2 });
  });
});

describe("shapes", () => {
  const row = (at: number): Shown => ({ kind: "map", length: 2, fields: [["at", at], ["name", "x"]] });
  it("rows of the same fields are a table", () => {
    expect(tabular([row(1), row(2)])).toEqual(["at", "name"]);
    expect(tabular([row(1)])).toBeNull();
    expect(tabular([row(1), 2])).toBeNull();
    expect(tabular([row(1), { kind: "map", length: 1, fields: [["at", { kind: "list", length: 9, items: [] }]] }])).toBeNull();
  });
  it("numbers are drawn", () => {
    expect(numbers([1, { kind: "float", text: "NaN" }])).toEqual([1, Number.NaN]);
    expect(numbers([1, "2"])).toBeNull();
    expect(drawn([0, Number.NaN, 1], 20, 10)).toBe("0.0,9.0 20.0,1.0");
    expect(drawn([3, 3], 20, 10)).toBe("0.0,9.0 20.0,9.0");
  });
  it("what is short stands on a line", () => {
    expect(short("a\nb")).toBe(false);
    expect(short(null)).toBe(true);
    expect(short({ kind: "list", length: 0, items: [] })).toBe(true);
    expect(short(LIST)).toBe(true);
    expect(short({ kind: "list", length: 3, items: [1, 2] })).toBe(false);
    expect(short({ kind: "list", length: 2, items: ["a".repeat(30), "b".repeat(30)] })).toBe(false);
    expect(short({ kind: "list", length: 1, items: [LIST] })).toBe(false);
    expect(inline(["a", 1, null])).toBe(true);
    expect(inline(["a".repeat(50)])).toBe(false);
    expect(inline([LIST])).toBe(false);
    expect(inline([null, true])).toBe(true);
  });
});
