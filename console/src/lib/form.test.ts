import { describe, expect, it } from "vitest";
import type { LiteralType } from "./entities";
import { asJson, blank, drafted, fits, fromJson, inAddress, meant, named, offsetAt, problemOf, read, shown, takes, zoned, type Problems, type Slots } from "./form";
import { Num, parse, print, type Json } from "./json";

const simple = (name: string): LiteralType => ({ type: "simple", simple: name });
const INT = simple("integer");
const STR = simple("string");
const NONE = simple("none");

/** Numbers between 0 and 1, the same ones each time (mulberry32). */
function chance(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const TEXTS = ["", "a", "None", "null", "12", "1.5", "true", '"quoted"', "two\nlines", "[1, 2", "{}", " spaces ", "<b>", "ä\u2028🦤", "@file", "2026-01-31"];
const WHOLE = ["0", "-1", "9007199254740993", "9223372036854775807", "-9223372036854775808", "340282366920938463463374607431768211456"];
const REAL = ["0.0", "1.0", "-2.5", "1e300", "5e-324", "0.1"];

function someType(next: () => number, depth: number): LiteralType {
  const pick = Math.floor(next() * (depth > 0 ? 16 : 10));
  const inner = (): LiteralType => someType(next, depth - 1);
  switch (pick) {
    case 0: return INT;
    case 1: return simple("float");
    case 2: return STR;
    case 3: return simple("boolean");
    case 4: return simple("datetime");
    case 5: return simple("date");
    case 6: return simple("duration");
    case 7: return simple("bytes");
    case 8: return { type: "enum", values: ["red", "7", 7, true, 1.5, null] };
    case 9: return next() < 0.5 ? { type: "blob", multipart: next() < 0.5 } : { type: "dataset" };
    case 10: return { type: "list", item: inner() };
    case 11: return { type: "tuple", items: [inner(), inner()] };
    case 12: return { type: "map", value: inner() };
    case 13: return { type: "struct", name: "m.S", fields: { a: inner(), "b c": inner(), d: inner() }, optional: ["d"] };
    case 14: return { type: "union", variants: [inner(), inner(), NONE] };
    default: return { type: "struct", name: next() < 0.5 ? "any" : "dict", fields: null };
  }
}

function of<T>(items: T[], next: () => number): T {
  return items[Math.floor(next() * items.length)] as T;
}

function someValue(type: LiteralType, next: () => number): Json {
  const many = Math.floor(next() * 4);
  switch (type.type) {
    case "simple":
      switch (type.simple) {
        case "none": return null;
        case "integer": return new Num(of(WHOLE, next));
        case "float": return next() < 0.2 ? of(["NaN", "Infinity", "-Infinity"], next) : new Num(of(REAL, next));
        case "boolean": return next() < 0.5;
        case "datetime": return of(["2026-01-31T12:00:00Z", "2024-02-29T23:59:59.999999+05:30", "0001-01-01T00:00:00+00:00"], next);
        case "date": return of(["2026-01-31", "2024-02-29"], next);
        case "duration": return of(["PT90S", "-P1DT0.000001S", "1h30m", "90"], next);
        case "bytes": return of(["", "AA==", "aGVsbG8="].slice(1), next);
        default: return of(TEXTS, next);
      }
    case "enum": return parse(JSON.stringify(of(type.values ?? [], next)));
    case "blob": case "dataset": return of(["blob:files/aa/x.txt", "s3://bucket/key"], next);
    case "list": return Array.from({ length: many }, () => someValue(type.item as LiteralType, next));
    case "tuple": return (type.items ?? []).map((each) => someValue(each, next));
    case "map": return new Map(TEXTS.slice(0, many).map((key) => [key, someValue(type.value as LiteralType, next)]));
    case "union": return someValue(of(type.variants ?? [], next), next);
    case "struct":
      if (!type.fields) return parse(of(type.name === "any" ? ['{"a": [1, 2.0, null]}', '"text"', "3", "[]", "null"] : ['{"a": [1, 2.0, null]}', "{}"], next));
      return new Map(Object.entries(type.fields).filter(([name]) => name !== "d" || next() < 0.5).map(([name, each]) => [name, someValue(each, next)]));
    default: return null;
  }
}

const CASES = 1_000;

describe("a form", () => {
  it("reads what it shows, whatever the type and the value", () => {
    const next = chance(7);
    for (let at = 0; at < CASES; at++) {
      const type = someType(next, 3);
      const value = someValue(type, next);
      const said = `${print(value)} of ${JSON.stringify(type)}`;
      expect(fits(value, type), said).toBe(true);
      const problems: Problems = {};
      const back = meant(shown(value, type), type, "x", problems);
      expect(problems, said).toEqual({});
      expect(print(back as Json), said).toBe(print(value));
      // And through the view as JSON.
      const slots: Slots = { x: { type, described: "", description: "", required: true, default: null } };
      const given = fromJson(slots, asJson(slots, drafted(slots, new Map([["x", value]]))));
      expect(print(given), said).toBe(print(new Map([["x", value]])));
    }
  });

  it("keeps what does not fit through the view as JSON", () => {
    const next = chance(11);
    for (let at = 0; at < CASES; at++) {
      const type = someType(next, 2);
      const slots: Slots = { x: { type, described: "", description: "", required: true, default: null } };
      const drafts = drafted(slots, new Map([["x", someValue(someType(next, 2), next)]]));
      const once = asJson(slots, drafts);
      if (once === "{}") continue; // nothing was typed
      expect(asJson(slots, drafted(slots, fromJson(slots, once))), `${once} as ${JSON.stringify(type)}`).toBe(once);
    }
    const slots: Slots = { n: { type: INT, described: "int", description: "", required: true, default: null }, xs: { type: { type: "list", item: INT }, described: "", description: "", required: true, default: null } };
    const typed = { n: { as: "text", text: "4x" } as const, xs: { as: "json", text: "[1, 2" } as const };
    expect(drafted(slots, fromJson(slots, asJson(slots, typed)))).toEqual(typed);
  });

  const slot = (type: LiteralType, said: Json | undefined): Slots => ({ x: { type, described: "int", description: "", required: said === undefined, default: said ?? null } });

  it("says what is missing, and leaves out what is as it is by default", () => {
    expect(read(slot(INT, undefined), { x: blank(INT) }).problems).toEqual({ x: "It takes int." });
    expect(read(slot(STR, undefined), { x: blank(STR) }).problems).toEqual({ x: "It takes str; if it is to be empty, say so." });
    expect(read(slot(STR, undefined), { x: { as: "text", text: "" } }).inputs.get("x")).toBe("");
    const defaulted = slot(STR, "a");
    expect(read(defaulted, drafted(defaulted, new Map())).inputs.size).toBe(0);
    expect(read(defaulted, drafted(defaulted, new Map()), true).inputs.get("x")).toBe("a");
    expect(read(defaulted, { x: { as: "text", text: "" } }).inputs.get("x")).toBe("");
  });

  it("tells None from an empty text", () => {
    const type: LiteralType = { type: "union", variants: [STR, NONE] };
    expect([meant(shown(null, type), type, "x", {}), meant(shown("", type), type, "x", {})]).toEqual([null, ""]);
  });

  it("names the field inside a value that is wrong", () => {
    const type: LiteralType = { type: "list", item: { type: "struct", fields: { item: STR, count: INT }, optional: ["count"] } };
    const problems: Problems = {};
    meant(shown(parse('[{"item": "a"}, {"item": "b", "count": "many"}]'), type), type, "orders", problems);
    expect(problems).toEqual({ "orders.1.count": "It takes a whole number." });
  });

  it("says where in a value written as JSON it does not fit", () => {
    const order: LiteralType = { type: "struct", name: "m.Order", fields: { item: STR, count: INT }, optional: [] };
    const said = (text: string, type: LiteralType): string | undefined => {
      const problems: Problems = {};
      meant({ as: "json", text }, type, "x", problems);
      return problems.x;
    };
    expect(said('["one"]', { type: "list", item: INT })).toBe("It takes list[int], and [0] is no int.");
    expect(said('[{"item": "a"}]', { type: "list", item: order })).toBe("It takes list[Order], and [0].count is missing.");
    expect(said('{"item": "a", "count": 1, "x": 2}', order)).toBe("It takes Order, and it has no field x.");
    expect(said("3", { type: "map", value: INT })).toBe("It takes dict[str, int], and this is another kind of value.");
  });

  it.each([
    ["1, 2, 3", INT, "[1, 2, 3]"], ["[1, 2]", INT, "[1, 2]"], ["1\n2", INT, "[1, 2]"], ["1, .5", simple("float"), "[1.0, 0.5]"],
    ["one, two\nthree", STR, '["one, two", "three"]'], ["[]", STR, "[]"],
  ])("reads the list %j", (text, item, said) => {
    expect(print(meant({ as: "json", text }, { type: "list", item }, "x", {}) as Json)).toBe(said);
  });

  it.each([
    [INT, ["1", "+1", "-0", "99999999999999999999"], ["", "1.0", "1e3", "x", "１"]],
    [simple("float"), ["1", ".5", "1.", "1e9", "NaN", "-Infinity"], ["", "nan", "1,5", "0x1"]],
    [simple("date"), ["2024-02-29"], ["2023-02-29", "2026-13-01", "2026-1-1", "2026-01-01T00:00"]],
    [simple("datetime"), ["2026-01-31", "2026-01-31 14:30", "2026-01-31T14:30:00.5Z"], ["yesterday", "2026-01-31 25:00", "2026-02-30T00:00"]],
    [simple("duration"), ["1h 30m", "90", "1.5 s", "PT1H", "1:30", "-2d"], ["", "an hour", "P", "1x", "PT"]],
    [simple("bytes"), ["aGk="], ["a", "ä==="]],
  ] as [LiteralType, string[], string[]][])("knows %j", (type, good, bad) => {
    expect(good.filter((text) => problemOf(text, type) !== "")).toEqual([]);
    expect(bad.filter((text) => problemOf(text, type) === "")).toEqual([]);
  });

  it("gives a time the zone of this machine, where none is said", () => {
    expect(zoned("2026-01-31 14:30")).toBe(`2026-01-31T14:30:00${offsetAt("2026-01-31T14:30:00")}`);
    expect(zoned("2026-01-31T14:30:00Z")).toBe("2026-01-31T14:30:00Z");
  });

  it("takes what is in an address", () => {
    const slots = { ...slot(INT, undefined), s: { type: STR, described: "str", description: "", required: true, default: null } };
    const found = inAddress(new URLSearchParams("in.x=3&in.s=true&in.y=1&view=graph"), slots);
    expect(print(found)).toBe('{"x": 3, "s": "true"}');
  });

  it("finds the field that a refusal names", () => {
    expect(named("the input 'x' takes int: expected int", slot(INT, undefined))).toBe("x");
    expect(named("there is no such thing", slot(INT, undefined))).toBe("");
  });

  it("takes defaults to the digit, and what a plan fixes apart", () => {
    const text = '{"interface": {"inputs": {"a": {"type": {"type": "simple", "simple": "integer"}, "required": false, "default": 9007199254740993}, "b": {"type": {}, "required": false, "default": 1}}}, "plan": {"workflow": "w", "fixed": {"b": 1}}}';
    const { slots, fixed } = takes(text);
    expect([Object.keys(slots), print(slots.a?.default ?? null), print(fixed)]).toEqual([["a"], "9007199254740993", '{"b": 1}']);
  });
});

describe("JSON", () => {
  it.each(["[1, 2", '{"a" 1}', "01", "[1,]", "", "tru", '"a\nb"', "1 2", "NaN"])("refuses %j", (text) => {
    expect(() => parse(text)).toThrow("is missing at");
  });

  it("says where", () => {
    expect(() => parse('{\n "a": x}')).toThrow('a value is missing at "x}", line 2, column 7');
  });

  it("keeps names that JavaScript would not", () => {
    expect(print(parse('{"__proto__": 1, "2": 1.0, "1": -0}'))).toBe('{"__proto__": 1, "2": 1.0, "1": -0}');
  });
});
