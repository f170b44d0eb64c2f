import { expect, it } from "vitest";
import { line, parted, told } from "./told";

it("shows what turns a text around, and what cannot be seen", () => {
  expect(told("invoice\u202Efdp.exe")).toBe("invoice⟨RLO⟩fdp.exe");
  expect(told("a\u200bb\u0000c\u001b[31m")).toBe("a⟨ZWSP⟩b␀c␛[31m");
});

it("leaves the rest as it is", () => {
  for (const text of ["שלום", "👩‍🔬 is one", "two\nlines\tand a tab", "é"]) expect(told(text)).toBe(text);
});

it("puts a text on one line", () => {
  expect(line("a\r\n  b\nc")).toBe("a ⏎ b ⏎ c");
});

it("parts a name at its last dot", () => {
  expect(parted("shop.flows.restock")).toEqual(["shop.flows.", "restock"]);
  expect(parted("restock")).toEqual(["", "restock"]);
  expect(parted("odd.")).toEqual(["", "odd."]);
});
