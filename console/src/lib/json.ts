// JSON to the digit: a number is what was written, so that 2^63 and 1.0 come out as they went in.

export class Num {
  constructor(readonly text: string) {}
}

export type Json = null | boolean | string | Num | Json[] | Map<string, Json>;

const DEEPEST = 500;

class Reader {
  at = 0;
  constructor(readonly text: string) {}

  fail(expected: string): never {
    const before = this.text.slice(0, this.at);
    const line = before.split("\n").length;
    const column = this.at - before.lastIndexOf("\n");
    const there = this.at < this.text.length ? JSON.stringify(this.text.slice(this.at, this.at + 12)) : "the end";
    throw new Error(`${expected} is missing at ${there}, line ${line}, column ${column}`);
  }

  space(): void {
    while (" \t\n\r".includes(this.text[this.at] ?? "x")) this.at++;
  }

  took(word: string): boolean {
    this.space();
    if (!this.text.startsWith(word, this.at)) return false;
    this.at += word.length;
    return true;
  }

  match(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) return null;
    this.at += found.length;
    return found;
  }

  string(): string {
    const found = this.match(/"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y);
    return found === null ? this.fail("a text in quotes") : (JSON.parse(found) as string);
  }

  value(depth: number): Json {
    if (depth > DEEPEST) this.fail("an end of what is nested");
    this.space();
    const first = this.text[this.at];
    if (first === '"') return this.string();
    if (this.took("[")) {
      const items: Json[] = [];
      if (this.took("]")) return items;
      do items.push(this.value(depth + 1));
      while (this.took(","));
      return this.took("]") ? items : this.fail("a comma or ]");
    }
    if (this.took("{")) {
      const fields = new Map<string, Json>();
      if (this.took("}")) return fields;
      do {
        this.space();
        const name = this.string();
        if (!this.took(":")) this.fail("a colon");
        fields.set(name, this.value(depth + 1));
      } while (this.took(","));
      return this.took("}") ? fields : this.fail("a comma or }");
    }
    for (const [word, value] of [["null", null], ["true", true], ["false", false]] as const) if (this.took(word)) return value;
    const number = this.match(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y);
    return number === null ? this.fail("a value") : new Num(number);
  }
}

/** The value that a text says. Raises a sentence that says where it does not. */
export function parse(text: string): Json {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.space();
  return reader.at === text.length ? value : reader.fail("the end");
}

/** With `indent` spaces, on lines; lists of plain values stay on one, as they are read. */
export function print(value: Json, indent = 0, margin = ""): string {
  if (value instanceof Num) return value.text;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const flat = indent === 0 || (Array.isArray(value) ? value.every((each) => each === null || typeof each !== "object" || each instanceof Num) : value.size === 0);
  const inner = margin + " ".repeat(indent);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const parts = Array.isArray(value)
    ? value.map((each) => print(each, indent, inner))
    : [...value].map(([name, each]) => `${JSON.stringify(name)}: ${print(each, indent, inner)}`);
  return flat ? `${open}${parts.join(", ")}${close}` : `${open}\n${parts.map((part) => inner + part).join(",\n")}\n${margin}${close}`;
}
