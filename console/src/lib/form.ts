// From what is typed to what is sent, and back. What somebody types is a draft, which has the shape of the type: nothing
// of it is lost when it does not fit, and what it means is said only when it is asked for.

import type { LiteralType, Parameter } from "./entities";
import { Num, parse, print, type Json } from "./json";

/** A parameter whose default is what it is to the digit. */
export type Slot = Omit<Parameter, "default"> & { default: Json };
export type Slots = Record<string, Slot>;

export type Draft =
  | { as: "unset" }
  | { as: "text"; text: string }
  /** A value as JSON, or a list as it is written by hand. */
  | { as: "json"; text: string }
  | { as: "items"; items: { id: number; draft: Draft }[] }
  | { as: "entries"; entries: { id: number; key: string; draft: Draft }[] }
  | { as: "fields"; fields: Record<string, Draft> }
  /** One of several types; what was typed for the others is kept. */
  | { as: "variant"; at: number; drafts: Draft[] };

/** What is wrong, by the address of the field: `order.items.2.count`. */
export type Problems = Record<string, string>;

export const UNSET: Draft = { as: "unset" };
let ids = 0;

export function identified(draft: Draft): { id: number; draft: Draft } {
  return { id: ids++, draft };
}

export function isNone(type: LiteralType): boolean {
  return type.type === "simple" && type.simple === "none";
}

/** The type beside None, of a type that is that or None. */
export function besideNone(type: LiteralType): LiteralType | null {
  if (type.type !== "union" || !type.variants?.some(isNone)) return null;
  const others = type.variants.filter((each) => !isNone(each));
  return others.length === 1 ? (others[0] ?? null) : null;
}

export function isText(type: LiteralType): boolean {
  return type.type === "simple" && type.simple === "string";
}

function isPlain(type: LiteralType): boolean {
  return type.type === "simple" || type.type === "enum";
}

/** Whether a value of the type is written as JSON, there being no fields for it. */
export function isOpen(type: LiteralType): boolean {
  return type.type === "struct" && !type.fields;
}

const PYTHON: Record<string, string> = { none: "None", integer: "int", float: "float", string: "str", boolean: "bool", datetime: "datetime", date: "date", duration: "timedelta", bytes: "bytes" };

/** A type as a person writes it. */
export function described(type: LiteralType): string {
  const short = type.name?.split(".").pop() ?? "";
  if (type.type === "simple") return PYTHON[type.simple ?? ""] ?? "?";
  if (type.type === "enum") return short || "one of them";
  if (type.type === "list") return `list[${type.item ? described(type.item) : ""}]`;
  if (type.type === "tuple") return `tuple[${(type.items ?? []).map(described).join(", ")}]`;
  if (type.type === "map") return `dict[str, ${type.value ? described(type.value) : ""}]`;
  if (type.type === "struct") return short || (type.fields ? "struct" : "dict");
  if (type.type === "union") return (type.variants ?? []).map(described).join(" | ");
  if (type.type === "blob") return type.multipart ? "directory" : "file";
  if (type.type === "dataset") return "dataset";
  return short || (type.encoding ?? "binary");
}

/** A draft in which nothing is typed yet. */
export function blank(type: LiteralType): Draft {
  switch (type.type) {
    case "struct":
      if (!type.fields) return { as: "json", text: "" };
      return { as: "fields", fields: Object.fromEntries(Object.entries(type.fields).map(([name, each]) => [name, type.optional?.includes(name) ? UNSET : blank(each)])) };
    case "list":
      return type.item && isPlain(type.item) ? { as: "json", text: "" } : { as: "items", items: [] };
    case "tuple":
      return { as: "items", items: (type.items ?? []).map((each) => identified(blank(each))) };
    case "map":
      return type.value && isPlain(type.value) ? { as: "json", text: "" } : { as: "entries", entries: [] };
    case "union":
      return { as: "variant", at: Math.max(0, (type.variants ?? []).findIndex((each) => !isNone(each))), drafts: (type.variants ?? []).map(blank) };
    default:
      // That a text is to be empty is said.
      return isText(type) ? UNSET : { as: "text", text: "" };
  }
}

/** Whether a value is one of the type, as the server sees it. */
export function fits(value: Json, type: LiteralType): boolean {
  switch (type.type) {
    case "simple":
      if (isNone(type)) return value === null;
      if (type.simple === "boolean") return typeof value === "boolean";
      if (type.simple === "integer") return value instanceof Num && /^-?\d+$/.test(value.text);
      if (type.simple === "float") return value instanceof Num || ["NaN", "Infinity", "-Infinity"].includes(value as string);
      if (type.simple === "string") return typeof value === "string";
      if (type.simple === "duration") return value instanceof Num || (typeof value === "string" && isSpan(value));
      return typeof value === "string" && problemOf(value, type) === "";
    case "enum":
      return (type.values ?? []).some((each) => print(plain(each)) === print(value));
    case "list":
      return Array.isArray(value) && value.every((each) => type.item !== undefined && fits(each, type.item));
    case "tuple":
      return Array.isArray(value) && value.length === (type.items ?? []).length && value.every((each, at) => fits(each, type.items?.[at] as LiteralType));
    case "map":
      return value instanceof Map && [...value.values()].every((each) => type.value !== undefined && fits(each, type.value));
    case "struct":
      if (!type.fields) return type.name === "any" || value instanceof Map;
      return value instanceof Map && [...value].every(([name, each]) => type.fields?.[name] !== undefined && fits(each, type.fields[name])) && Object.keys(type.fields).every((name) => value.has(name) || type.optional?.includes(name));
    case "union":
      return (type.variants ?? []).some((each) => fits(value, each));
    default:
      return typeof value === "string";
  }
}

/** Where in a value it is not one of the type, and what is wanted there: `[2].count is no int`. */
function misfit(value: Json, type: LiteralType, path = ""): string {
  const parts: [Json | undefined, LiteralType | undefined, string][] =
    type.type === "list" && Array.isArray(value)
      ? value.map((each, at) => [each, type.item, `${path}[${at}]`])
      : type.type === "tuple" && Array.isArray(value) && value.length === type.items?.length
        ? value.map((each, at) => [each, type.items?.[at], `${path}[${at}]`])
        : type.type === "map" && value instanceof Map
          ? [...value].map(([key, each]) => [each, type.value, `${path}.${key}`])
          : type.type === "struct" && value instanceof Map
            ? [...Object.keys(type.fields ?? {}).filter((name) => value.has(name) || !type.optional?.includes(name)), ...value.keys()].map((name) => [value.get(name), type.fields?.[name], `${path}.${name}`])
            : [];
  for (const [each, wanted, at] of parts) {
    if (!wanted) return `it has no field ${at.replace(/^\./, "")}`;
    if (each === undefined) return `${at.replace(/^\./, "")} is missing`;
    if (!fits(each, wanted)) return misfit(each, wanted, at);
  }
  return path ? `${path.replace(/^\./, "")} is no ${described(type)}` : "this is another kind of value";
}

/** A value that the page has as JavaScript has it. */
export function plain(value: unknown): Json {
  return parse(JSON.stringify(value ?? null));
}

/** The draft that says a value. What does not fit its type is kept as it is, to be put right. */
export function shown(value: Json, type: LiteralType): Draft {
  // Nothing at all, where something is wanted.
  if (value === null && !fits(value, type)) return blank(type);
  const written = typeof value === "string" ? value : print(value);
  const raw: Draft = { as: "text", text: written };
  switch (type.type) {
    case "union": {
      const drafts = (type.variants ?? []).map(blank);
      let at = (type.variants ?? []).findIndex((each) => !(value instanceof Num && each.simple === "float") && fits(value, each));
      if (at < 0) at = Math.max(0, (type.variants ?? []).findIndex((each) => fits(value, each)));
      if (at === 0 && type.variants?.[0] && !fits(value, type.variants[0])) at = Math.max(0, type.variants.findIndex((each) => !isNone(each)));
      const variant = type.variants?.[at];
      if (variant) drafts[at] = shown(value, variant);
      return { as: "variant", at, drafts };
    }
    case "struct":
      if (!type.fields) return { as: "json", text: fits(value, type) ? print(value, 2) : written };
      // A field that it has not: as JSON it can be seen, and put right.
      if (!(value instanceof Map) || [...value.keys()].some((name) => type.fields?.[name] === undefined)) return { as: "json", text: typeof value === "string" ? value : print(value, 2) };
      return {
        as: "fields",
        fields: Object.fromEntries(
          Object.entries(type.fields).map(([name, each]) => {
            const there = value.get(name);
            return [name, there !== undefined ? shown(there, each) : type.optional?.includes(name) ? UNSET : blank(each)];
          }),
        ),
      };
    case "list":
      if (!Array.isArray(value) || !type.item || isPlain(type.item)) return { as: "json", text: written };
      return { as: "items", items: value.map((each) => identified(shown(each, type.item as LiteralType))) };
    case "tuple":
      if (!Array.isArray(value) || value.length !== type.items?.length) return { as: "json", text: written };
      return { as: "items", items: value.map((each, at) => identified(shown(each, type.items?.[at] as LiteralType))) };
    case "map":
      if (!(value instanceof Map) || !type.value || isPlain(type.value)) return { as: "json", text: written };
      return { as: "entries", entries: [...value].map(([key, each]) => ({ key, ...identified(shown(each, type.value as LiteralType)) })) };
    case "enum":
      return fits(value, type) ? { as: "text", text: print(value) } : raw;
    default:
      return raw;
  }
}

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const SPAN = /^[+-]?\s*(?:\d+(?:\.\d+)?|(?:\d+(?:\.\d+)?\s*(?:ms|us|[wdhms])\s*)+|P(?=.)(?:[\d.]+W)?(?:[\d.]+D)?(?:T(?=.)(?:[\d.]+H)?(?:[\d.]+M)?(?:[\d.]+S)?)?|\d+:\d{2}(?::\d{2}(?:\.\d+)?)?)$/i;
const MOMENT = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?(Z|[+-]\d{2}:\d{2})?)?$/i;

export function isSpan(text: string): boolean {
  return SPAN.test(text.trim());
}

/** What is wrong with the text of a plain type, "" for nothing. */
export function problemOf(text: string, type: LiteralType): string {
  const trimmed = text.trim();
  switch (type.simple) {
    case "integer": {
      if (!/^[+-]?\d+$/.test(trimmed)) return "a whole number";
      return "";
    }
    case "float":
      return ["NaN", "Infinity", "-Infinity"].includes(trimmed) || /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed) ? "" : "a number";
    case "boolean":
      return trimmed === "true" || trimmed === "false" ? "" : "true or false";
    case "none":
      return "";
    case "date":
    case "datetime": {
      const found = MOMENT.exec(trimmed);
      const wrong = type.simple === "date" ? "a day like 2026-01-31" : "a time like 2026-01-31 14:30";
      if (!found || (type.simple === "date" && trimmed.length > 10)) return wrong;
      const [year, month, day, hour, minute, second] = found.slice(1, 7).map((part) => Number(part ?? 0)) as [number, number, number, number, number, number];
      const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
      const real = year > 0 && month >= 1 && month <= 12 && day >= 1 && day <= (DAYS[month - 1] ?? 0) && (month !== 2 || day < 29 || leap);
      return real && hour < 24 && minute < 60 && second < 60 ? "" : wrong;
    }
    case "duration":
      return isSpan(trimmed) ? "" : "a span of time like 1h 30m";
    case "bytes":
      return trimmed.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(trimmed) ? "" : "bytes in base64";
    default:
      return "";
  }
}

function two(number: number): string {
  return String(Math.abs(number)).padStart(2, "0");
}

/** The offset of this machine's zone at a local time, as `+01:00`. */
export function offsetAt(text: string): string {
  const at = new Date(text.trim().replace(" ", "T").slice(0, 19));
  const minutes = Number.isNaN(at.getTime()) ? 0 : -at.getTimezoneOffset();
  return `${minutes < 0 ? "-" : "+"}${two(Math.trunc(minutes / 60))}:${two(minutes % 60)}`;
}

/** A time with its zone: this machine's, where none is said. */
export function zoned(text: string): string {
  const trimmed = text.trim().replace(/^(\d{4}-\d{2}-\d{2}) /, "$1T");
  const found = MOMENT.exec(trimmed);
  if (!found || found[8]) return trimmed;
  const whole = found[4] === undefined ? `${trimmed}T00:00:00` : found[6] === undefined ? `${trimmed}:00` : trimmed;
  return whole + offsetAt(whole);
}

function scalar(text: string, type: LiteralType): Json {
  const trimmed = text.trim();
  switch (type.simple) {
    case "none":
      return null;
    case "integer":
      return new Num(String(BigInt(trimmed.replace(/^\+/, ""))));
    case "float":
      return ["NaN", "Infinity", "-Infinity"].includes(trimmed) ? trimmed : new Num(numeral(trimmed));
    case "boolean":
      return trimmed === "true";
    case "datetime":
      return zoned(text);
    case "string":
      return text;
    default:
      return trimmed;
  }
}

/** A number as JSON writes it: a digit on both sides of the point. */
function numeral(text: string): string {
  const written = text.replace(/^\+/, "").replace(/^(-?)0+(?=\d)/, "$1").replace(/^(-?)\./, "$10.").replace(/\.(?=e|$)/i, ".0");
  return /[.e]/i.test(written) ? written : `${written}.0`;
}

/** The items of a list as it is written by hand: JSON, or one on a line; numbers also with commas. */
function written(text: string, item: LiteralType): Json {
  const trimmed = text.trim();
  if (trimmed.startsWith("[") || trimmed.startsWith("{") || trimmed === "null") return parse(trimmed);
  const numeric = item.simple === "integer" || item.simple === "float" || item.simple === "boolean";
  return trimmed.split(numeric ? /[,\n]/ : /\n/).map((part) => {
    const each = part.trim();
    if (item.type === "simple" && item.simple !== "string") {
      const wrong = problemOf(each, item);
      if (wrong) throw new Error(`each is ${wrong}`);
      return scalar(each, item);
    }
    return each;
  });
}

function isEmpty(draft: Draft): boolean {
  return (draft.as === "text" || draft.as === "json") && draft.text.trim() === "";
}

/** The value that a draft means, `undefined` where something is wrong, which is then in `problems`. */
export function meant(draft: Draft, type: LiteralType, at: string, problems: Problems): Json | undefined {
  const wrong = (what: string): undefined => void (problems[at] = `It takes ${what}.`);
  if (draft.as === "unset") return wrong(isText(type) ? "str; if it is to be empty, say so" : described(type));
  if (type.type === "union" && draft.as === "variant") {
    const variant = type.variants?.[draft.at];
    const inner = draft.drafts[draft.at];
    if (!variant || !inner) return wrong(described(type));
    if (isNone(variant)) return null;
    return meant(inner, variant, at, problems);
  }
  if (draft.as === "fields") {
    const found = new Map<string, Json>();
    let whole = true;
    for (const [name, each] of Object.entries(type.fields ?? {})) {
      const inner = draft.fields[name] ?? UNSET;
      const optional = type.optional?.includes(name) ?? false;
      if (optional && (inner.as === "unset" || (isEmpty(inner) && !isText(each)))) continue;
      const value = meant(inner, each, `${at}.${name}`, problems);
      if (value === undefined) whole = false;
      else found.set(name, value);
    }
    return whole ? found : undefined;
  }
  if (draft.as === "items") {
    const values = draft.items.map((each, index) => meant(each.draft, (type.type === "tuple" ? type.items?.[index] : type.item) as LiteralType, `${at}.${index}`, problems));
    return values.every((each) => each !== undefined) ? values : undefined;
  }
  if (draft.as === "entries") {
    const found = new Map<string, Json>();
    let whole = true;
    draft.entries.forEach((each, index) => {
      const value = meant(each.draft, type.value as LiteralType, `${at}.${index}`, problems);
      if (found.has(each.key)) problems[`${at}.${index}`] = `There are two of the key ${JSON.stringify(each.key)}.`;
      if (value === undefined || found.has(each.key)) whole = false;
      else found.set(each.key, value);
    });
    return whole ? found : undefined;
  }
  if (draft.as === "variant") return wrong(described(type));
  if (draft.as === "json" || !["simple", "enum", "blob", "dataset"].includes(type.type)) {
    if (draft.text.trim() === "") return wrong(described(type));
    try {
      const value = type.type === "list" && type.item && isPlain(type.item) ? written(draft.text, type.item) : parse(draft.text);
      return fits(value, type) ? value : wrong(`${described(type)}, and ${misfit(value, type)}`);
    } catch (error) {
      return wrong(`${described(type)} as JSON: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (type.type === "enum") {
    const values = (type.values ?? []).map(plain);
    const exact = values.findIndex((each) => print(each) === draft.text);
    const found = values[exact < 0 ? values.indexOf(draft.text) : exact];
    return found === undefined ? wrong(draft.text === "" ? described(type) : `one of ${(type.values ?? []).map(String).join(", ")}`) : found;
  }
  if (type.type === "blob" || type.type === "dataset") {
    return draft.text.trim() === "" ? wrong(`a ${described(type)}: upload one, or give its address`) : draft.text.trim();
  }
  if (!isText(type) && draft.text.trim() === "") return wrong(described(type));
  const fault = problemOf(draft.text, type);
  return fault ? wrong(fault) : scalar(draft.text, type);
}

/** What is typed, whatever it is worth: for the view as JSON, which shows also what is wrong. */
export function lenient(draft: Draft, type: LiteralType): Json | undefined {
  const found = draft.as === "unset" || (isEmpty(draft) && !isText(type)) ? undefined : meant(draft, type, "", {});
  if (found !== undefined || draft.as === "unset") return found;
  if (draft.as === "text") return draft.text === "" ? undefined : draft.text;
  if (draft.as === "json") {
    if (draft.text.trim() === "") return undefined;
    try {
      const said = parse(draft.text);
      return said === null || typeof said === "string" ? draft.text : said;
    } catch {
      return draft.text;
    }
  }
  if (draft.as === "items") {
    const items = draft.items.map((each, at) => lenient(each.draft, (type.type === "tuple" ? type.items?.[at] : type.item) as LiteralType));
    return type.type === "tuple" && items.every((each) => each === undefined) ? undefined : items.map((each) => each ?? null);
  }
  if (draft.as === "entries") return new Map(draft.entries.map((each) => [each.key, lenient(each.draft, type.value as LiteralType) ?? null]));
  if (draft.as === "variant") {
    const variant = type.variants?.[draft.at];
    return variant && draft.drafts[draft.at] ? lenient(draft.drafts[draft.at] as Draft, variant) : undefined;
  }
  const fields = new Map<string, Json>();
  for (const [name, each] of Object.entries(type.fields ?? {})) {
    const value = lenient(draft.fields[name] ?? UNSET, each);
    if (value !== undefined) fields.set(name, value);
  }
  return fields.size > 0 ? fields : undefined;
}

export type Drafts = Record<string, Draft>;

export interface Read {
  inputs: Map<string, Json>;
  problems: Problems;
}

/** All fields of a form. What is as it is by default is left out, unless `all` is wanted; what is empty has its default. */
export function read(slots: Slots, drafts: Drafts, all = false): Read {
  const inputs = new Map<string, Json>();
  const problems: Problems = {};
  for (const [name, slot] of Object.entries(slots)) {
    const draft = drafts[name] ?? UNSET;
    if (!slot.required && (draft.as === "unset" || (isEmpty(draft) && !isText(slot.type)))) continue;
    const value = meant(draft, slot.type, name, problems);
    if (value !== undefined && (all || slot.required || print(value) !== print(slot.default))) inputs.set(name, value);
  }
  return { inputs, problems };
}

/** The form as JSON; what does not fit is in it as it was typed. */
export function asJson(slots: Slots, drafts: Drafts): string {
  const inputs = new Map<string, Json>();
  for (const [name, slot] of Object.entries(slots)) {
    const value = lenient(drafts[name] ?? UNSET, slot.type);
    if (value !== undefined) inputs.set(name, value);
  }
  return print(inputs, 2);
}

/** The inputs that a text says. Raises a sentence for what is no inputs of these parameters. */
export function fromJson(slots: Slots, text: string): Map<string, Json> {
  const said = parse(text);
  if (!(said instanceof Map)) throw new Error("inputs are an object, with a value for each name");
  const stranger = [...said.keys()].find((name) => slots[name] === undefined);
  if (stranger !== undefined) throw new Error(`there is no input ${JSON.stringify(stranger)}; it takes ${Object.keys(slots).join(", ") || "nothing"}`);
  return said;
}

/** What a field begins with: its default, as far as that has a written form. */
export function initial(slot: Slot): Draft {
  if (slot.required) return blank(slot.type);
  return fits(slot.default, slot.type) ? shown(slot.default, slot.type) : UNSET;
}

/** The drafts of a form: of the inputs that are given, and what the others begin with. */
export function drafted(slots: Slots, given: Map<string, Json>): Drafts {
  return Object.fromEntries(
    Object.entries(slots).map(([name, slot]) => {
      const value = given.get(name);
      return [name, value === undefined ? initial(slot) : shown(value, slot.type)];
    }),
  );
}

function at(value: Json | undefined, ...path: string[]): Json | undefined {
  for (const part of path) value = value instanceof Map ? value.get(part) : undefined;
  return value;
}

export interface Takes {
  slots: Slots;
  /** What a launch plan says, whatever is given. */
  fixed: Map<string, Json>;
}

/** What an entity takes, from what the server says of it. */
export function takes(text: string): Takes {
  const said = parse(text);
  const entity = JSON.parse(text) as { interface: { inputs: Record<string, Parameter> } };
  const fixed = at(said, "plan", "fixed");
  const slots = Object.entries(entity.interface.inputs).map(([name, each]): [string, Slot] => [name, { ...each, default: at(said, "interface", "inputs", name, "default") ?? null }]);
  const plan = fixed instanceof Map ? fixed : new Map<string, Json>();
  return { slots: Object.fromEntries(slots.filter(([name]) => !plan.has(name))), fixed: plan };
}

/** The inputs in an address: `in.x=3`. A value is JSON; what is none is a text. */
export function inAddress(query: URLSearchParams, slots: Slots): Map<string, Json> {
  const found = new Map<string, Json>();
  for (const [key, text] of query) {
    const slot = key.startsWith("in.") ? slots[key.slice(3)] : undefined;
    if (!slot) continue;
    let value: Json = text;
    try {
      const said = parse(text);
      if (fits(said, slot.type)) value = said;
    } catch {
      // Not JSON: a text, which the field shows as it is.
    }
    found.set(key.slice(3), value);
  }
  return found;
}

/** The input that a refusal of the server's names, "" for none. */
export function named(message: string, slots: Slots): string {
  const found = /input ['"]([^'"]+)['"]/.exec(message)?.[1] ?? "";
  return slots[found] === undefined ? "" : found;
}
