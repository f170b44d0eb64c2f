import { expect, it } from "vitest";
import { changes, tasks } from "./changes";
import { diff, hunks, paired } from "./diff";
import type { EntityDetail, Parameter } from "./entities";
import { body, python } from "./python";

const text = (lines: ReturnType<typeof diff>): string => lines.map((line) => `${{ same: " ", gone: "-", new: "+" }[line.kind]}${line.text}`).join("|");

it("tells what went and what came", () => {
  expect(text(diff("a\nb\nc", "a\nx\nc"))).toBe(" a|-b|+x| c");
  expect(text(diff("", "a"))).toBe("-|+a");
  expect(text(diff("same", "same"))).toBe(" same");
  expect(text(diff("a\nb\nc\nd", "b\nd\ne"))).toBe("-a| b|-c| d|+e");
});

it("goes from any text to any other", () => {
  let seed = 7;
  const random = (most: number): number => (seed = (seed * 16807) % 2147483647) % most;
  for (let round = 0; round < 200; round++) {
    const make = (): string[] => Array.from({ length: 1 + random(12) }, () => "abc"[random(3)] ?? "");
    const [a, b] = [make(), make()];
    const lines = diff(a.join("\n"), b.join("\n"));
    expect(lines.filter((line) => line.kind !== "new").map((line) => line.text)).toEqual(a);
    expect(lines.filter((line) => line.kind !== "gone").map((line) => line.text)).toEqual(b);
    expect(lines.filter((line) => line.left).map((line) => line.left)).toEqual(a.map((_, at) => at + 1));
  }
});

it("leaves out what stayed, and puts changes side by side", () => {
  const before = Array.from({ length: 20 }, (_, at) => `line ${at}`);
  const after = before.with(10, "other");
  const short = hunks(diff(before.join("\n"), after.join("\n")), 2);
  expect(short.map((each) => (typeof each === "number" ? each : each.kind))).toEqual([8, "same", "same", "gone", "new", "same", "same", 7]);
  expect(paired(short)[3]).toMatchObject({ left: { text: "line 10" }, right: { text: "other" } });
});

it("reads Python", () => {
  expect(python('@task\ndef f(x: int = 1) -> str:  # one\n    """Two\n    lines."""')).toEqual([
    [["sign", "@task"]],
    [["word", "def "], ["name", "f"], ["", "(x: int = "], ["number", "1"], ["", ") -> str:  "], ["note", "# one"]],
    [["", "    "], ["text", '"""Two']],
    [["text", '    lines."""']],
  ]);
});

it("finds a function with its decorators", () => {
  const source = "import x\n\n@task(\n    retries=2,\n)\nasync def one(\n    a: int,\n) -> int:\n    return a\n\n\n@task\ndef two() -> int:\n    return 2\n";
  expect(body(source, "one")).toBe("@task(\n    retries=2,\n)\nasync def one(\n    a: int,\n) -> int:\n    return a");
  expect(body(source, "two")).toBe("@task\ndef two() -> int:\n    return 2");
  expect(body(source, "three")).toBe("");
});

function entity(inputs: Record<string, Parameter>, called: string[]): EntityDetail {
  const node = (name: string, at: number) => ({ id: `n${at}`, kind: "task", name: "", entity: name, version: "", parent: "", arm: "", line: null });
  return { interface: { inputs, outputs: {} }, graph: { name: "w", nodes: called.map(node), edges: [], brackets: [], failure_node: null }, workflows: {}, schedule: null, plan: null, doc: "", python: "3.12" } as unknown as EntityDetail;
}

it("says what became of an interface", () => {
  const a = { type: { type: "simple" }, described: "int", description: "", required: false, default: 14 };
  const before = entity({ days: a, old: a }, ["extract", "clean"]);
  const after = entity({ days: { ...a, described: "float", default: 28 }, shop: { ...a, described: "str", required: true } }, ["extract", "extract", "report"]);
  expect(changes(before, after, String).map((each) => each.what)).toEqual([
    "input days was int, is float",
    "input days was 14 by default, is 28",
    "input shop is new: str, and must be given",
    "input old is gone",
    "calls report now",
    "does not call clean any more",
    "calls extract 2 times, not 1",
  ]);
  expect(changes(before, before, String)).toEqual([]);
  expect(tasks(before, after)).toEqual(["extract", "clean", "report"]);
});
