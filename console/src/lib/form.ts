// From what is typed to what is sent, and back.

import type { LiteralType, Parameter } from "./entities";

function plain(type: LiteralType): boolean {
  if (type.type === "union") return type.variants?.some(plain) ?? false;
  return (type.type === "simple" && ["string", "datetime", "date", "duration", "bytes"].includes(type.simple ?? "")) || type.type === "blob" || type.type === "dataset" || (type.type === "enum" && (type.values?.every((value) => typeof value === "string") ?? false));
}

/** What a field shows of a value. */
export function shown(value: unknown, type: LiteralType): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" && plain(type) ? value : JSON.stringify(value);
}

/** The value that a text means. Raises a sentence for people. */
export function meant(text: string, type: LiteralType): unknown {
  const trimmed = text.trim();
  if (type.type === "union") {
    const others = type.variants?.filter((each) => each.simple !== "none") ?? [];
    if (others.length === 1 && others[0]) return meant(text, others[0]);
  }
  if (type.type === "simple") {
    if (type.simple === "integer") {
      if (!/^[+-]?\d+$/.test(trimmed)) throw new Error("a whole number");
      const number = Number(trimmed);
      // Larger ones would lose digits on the way: the server reads them from text.
      return Number.isSafeInteger(number) ? number : trimmed;
    }
    if (type.simple === "float") {
      if (["NaN", "Infinity", "-Infinity"].includes(trimmed)) return trimmed;
      if (trimmed === "" || Number.isNaN(Number(trimmed))) throw new Error("a number");
      return Number(trimmed);
    }
    if (type.simple === "boolean") {
      if (trimmed !== "true" && trimmed !== "false") throw new Error("true or false");
      return trimmed === "true";
    }
  }
  if (type.type === "simple" || type.type === "blob" || type.type === "dataset") return text;
  if (type.type === "enum" && type.values?.includes(text)) return text;
  try {
    return JSON.parse(trimmed) as unknown;
  } catch (error) {
    if (plain(type)) return text;
    throw new Error(`JSON (${error instanceof Error ? error.message : String(error)})`, { cause: error });
  }
}

export interface Read {
  inputs: Record<string, unknown>;
  problems: Record<string, string>;
}

/** All fields of a form. What is empty and has a default is left out; an empty text is one. */
export function read(parameters: Record<string, Parameter>, texts: Record<string, string>): Read {
  const inputs: Record<string, unknown> = {};
  const problems: Record<string, string> = {};
  for (const [name, parameter] of Object.entries(parameters)) {
    const text = texts[name] ?? "";
    if (text === "") {
      if (!parameter.required) continue;
      if (!(parameter.type.type === "simple" && parameter.type.simple === "string")) {
        problems[name] = `It takes ${parameter.described}.`;
        continue;
      }
    }
    try {
      inputs[name] = meant(text, parameter.type);
    } catch (error) {
      problems[name] = `It takes ${error instanceof Error ? error.message : String(error)}.`;
    }
  }
  return { inputs, problems };
}
