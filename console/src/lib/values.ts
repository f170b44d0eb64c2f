// Values in words and figures: what is shown of them, what is copied, and how one is found again.

import type { Shown, Side, Step } from "./api";

/** Which value of which run: what its address is made of. */
export interface Where {
  run: string;
  node: string;
  side: Side;
  name: string;
}

/** The parameters by which the server finds what is at `at` in a value. */
export function asked(where: Where, at: Step[], rest: Record<string, string | number> = {}): Record<string, string | number | undefined> {
  return { name: where.name, side: where.side, node: where.node || undefined, at: at.length ? JSON.stringify(at) : undefined, ...rest };
}

const DIGITS = 7;

/** A number with as many digits as somebody reads; all of them where they are few. */
export function figure(value: number | string): string {
  const text = String(value);
  if (/^-?\d+$/.test(text)) return grouped(text);
  const real = Number(text);
  if (!Number.isFinite(real) || text.replace(/[-.]|e.*/g, "").length <= DIGITS) return text;
  const short = String(Number(real.toPrecision(DIGITS)));
  return short.replace(/^(-?\d+)/, (whole) => grouped(whole));
}

/** Thousands apart, but for what may be a year. */
function grouped(digits: string): string {
  return digits.replace("-", "").length < 5 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

const UNITS = ["kB", "MB", "GB", "TB"];

export function bytes(count: number): string {
  if (count < 0) return "";
  if (count < 1000) return `${count} bytes`.replace(/^1 bytes$/, "1 byte");
  let size = count;
  let unit = "";
  for (const each of UNITS) {
    if (size < 999.5) break;
    size /= 1000;
    unit = each;
  }
  return `${size < 9.95 ? size.toFixed(1) : Math.round(size)} ${unit}`;
}

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${figure(count)} ${count === 1 ? one : many}`;
}

/** How somebody writes it in Python: `o0["rows"][3]`. */
export function spelled(name: string, at: Step[]): string {
  return name + at.map((step) => `[${JSON.stringify(step)}]`).join("");
}

/** What is copied: the exact value, as text or as JSON; `null` where not all of it is here. */
export function copied(value: Shown): string | null {
  if (typeof value === "string") return value;
  if (value !== null && typeof value === "object") {
    if ("text" in value && value.kind !== "string" && value.kind !== "lost") return value.text;
    if ("uri" in value) return value.uri;
  }
  const plain = json(value);
  return plain === undefined ? null : JSON.stringify(plain, null, 2);
}

function json(value: Shown): unknown {
  if (value === null || typeof value !== "object") return value;
  switch (value.kind) {
    case "list": {
      const items = value.items.map(json);
      return value.items.length < value.length || items.includes(undefined) ? undefined : items;
    }
    case "map":
    case "struct": {
      const fields = value.fields.map(([name, item]) => [name, json(item)] as const);
      return value.fields.length < value.length || fields.some(([, item]) => item === undefined) ? undefined : Object.fromEntries(fields);
    }
    case "float":
      return Number.isFinite(Number(value.text)) ? Number(value.text) : value.text;
    case "file":
    case "directory":
    case "dataset":
      return value.uri;
    case "bytes":
    case "string":
    case "more":
    case "lost":
      return undefined;
    default:
      return value.text;
  }
}

/** Whether it fits on the line of its name. */
export function short(value: Shown): boolean {
  if (typeof value === "string") return value.length <= 60 && !value.includes("\n");
  if (value === null || typeof value !== "object") return true;
  if (value.kind === "list" && !value.names && value.items.length === value.length && value.length <= 8 && inline(value.items)) return JSON.stringify(json(value)).length <= 48;
  return ["integer", "float", "date", "enum", "datetime", "duration", "lost"].includes(value.kind) ? !("text" in value) || value.text.length <= 60 : emptied(value);
}

function emptied(value: Shown): boolean {
  return value !== null && typeof value === "object" && "length" in value && value.kind !== "more" && value.length === 0;
}

/** The numbers of a list that has nothing else. */
export function numbers(items: Shown[]): number[] | null {
  const found: number[] = [];
  for (const item of items) {
    if (typeof item === "number") found.push(item);
    else if (item !== null && typeof item === "object" && (item.kind === "float" || item.kind === "integer")) found.push(Number(item.text));
    else return null;
  }
  return found;
}

/** Whether a list is of things that stand on a line beside each other. */
export function inline(items: Shown[]): boolean {
  return items.every((item) => item === null || typeof item !== "object" || "text" in item ? typeof item !== "string" || (item.length <= 40 && !item.includes("\n")) : false);
}

/** Rows that have the same few simple fields: they are a table. */
export function tabular(items: Shown[]): string[] | null {
  if (items.length < 2) return null;
  let names: string[] | null = null;
  for (const item of items) {
    if (item === null || typeof item !== "object" || (item.kind !== "map" && item.kind !== "struct") || item.fields.length < item.length) return null;
    const own = item.fields.map(([name]) => name);
    if (own.length === 0 || own.length > 12 || !item.fields.every(([, cell]) => short(cell))) return null;
    if (names === null) names = own;
    else if (own.length !== names.length || own.some((name, at) => name !== (names as string[])[at])) return null;
  }
  return names;
}

/** A short value as it stands in a cell. */
export function cell(value: Shown): string {
  if (value === null) return "";
  if (typeof value === "number") return figure(value);
  if (typeof value !== "object") return String(value);
  if (value.kind === "float" || value.kind === "integer") return figure(value.text);
  return "text" in value ? value.text : JSON.stringify(json(value));
}

/** The points of a line through `numbers`, for a drawing of `wide` by `high`. */
export function drawn(found: number[], wide: number, high: number): string {
  const finite = found.filter(Number.isFinite);
  const least = Math.min(...finite);
  const span = Math.max(...finite) - least || 1;
  const step = wide / Math.max(1, found.length - 1);
  return found
    .map((value, at) => (Number.isFinite(value) ? `${(at * step).toFixed(1)},${(high - 1 - ((value - least) / span) * (high - 2)).toFixed(1)}` : ""))
    .filter(Boolean)
    .join(" ");
}

/** A hash, as somebody compares them. */
export function brief(digest: string): string {
  return digest.slice(0, 12);
}
