// What the server says, and how it is asked. The shapes are those of its OpenAPI document: ../api/agrees.ts holds them to it.

import { refusal } from "../api/stream";
import type { LiteralType } from "./entities";
import { login } from "./login.svelte";
import { clockIn } from "./time.svelte";

export { refusal, Refused } from "../api/stream";

export type Phase =
  | "UNDEFINED" | "QUEUED" | "RUNNING" | "SUCCEEDING" | "SUCCEEDED" | "FAILING" | "FAILED" | "ABORTING" | "ABORTED"
  | "TIMED_OUT" | "SKIPPED" | "RECOVERED" | "DYNAMIC_RUNNING" | "PAUSED";

export interface RunRow {
  run: string;
  entity: string;
  phase: Phase;
  source: string;
  created_at: string | null;
  started_at: string | null;
  ended_at: string | null;
  epoch: number;
  owner: string;
  message: string;
  project: string;
  domain: string;
  name: string;
  kind: string;
  target: string;
  version: string;
  labels: Record<string, string>;
  tags: string[];
  principal: string;
  cause: string;
  parent: string;
  gates: number;
  nodes_known: number;
  nodes_done: number;
  url: string;
}

export interface RunPage {
  runs: RunRow[];
  next: string | null;
}

export type Fault = "user" | "system" | "timeout" | "abort" | "lost" | "cancelled";

export interface Failure {
  fault: Fault;
  message: string;
  type: string;
  traceback: string;
  notes: string[];
  cause: Failure | null;
  members: Failure[];
  node: string;
  line: string;
}

export interface TreeAttempt {
  phase: Phase;
  fault: Fault | "";
  launched_at: string | null;
  started_at: string | null;
  ended_at: string | null;
}

export interface TreeNode {
  path: string;
  parent: string;
  kind: string;
  entity: string;
  name: string;
  phase: Phase;
  line: string;
  role: "" | "setup" | "teardown" | "member" | "failure";
  bracket: string;
  upstream: string[];
  data: string[];
  created_at: string | null;
  queued_at: string | null;
  started_at: string | null;
  ended_at: string | null;
  attempts: TreeAttempt[];
  length: number | null;
  cached: boolean;
  grafted_from: string;
  recovered_from: string;
  replaced: boolean;
  waits_for: string | null;
  error: string | null;
  takes: Record<string, string[]>;
  hint: string;
  group: string;
  replaced_by: string;
  again: boolean;
}

export interface NodeProgress {
  done: number;
  total: number | null;
  message: string;
  at: string | null;
}

/** What is shown of a value; src/whimbrel/wire/rest/values.py says what each kind has. */
export type Shown = null | boolean | number | string | Typed;

export type Typed =
  | { kind: "integer" | "float" | "date" | "enum" | "lost"; text: string }
  | { kind: "string"; text: string; bytes: number }
  | { kind: "datetime"; text: string; zone: string }
  | { kind: "duration"; text: string; seconds: number }
  | { kind: "bytes"; base64: string; bytes: number; encoding: string }
  | { kind: "list"; items: Shown[]; length: number; names?: string[] }
  | { kind: "map" | "struct"; fields: [string, Shown][]; length: number; type?: string }
  | Stored
  | { kind: "more"; bytes: number; length: number };

export interface Stored {
  kind: "file" | "directory" | "dataset";
  name: string;
  uri: string;
  format: string;
  bytes: number;
  link: string;
}

export type Step = string | number;
export type Side = "inputs" | "outputs";

export interface ShownValue {
  name: string;
  type: string;
  description: string;
  value: Shown;
  bytes: number;
  link: string;
}

export interface Frame {
  file: string;
  line: number;
  function: string;
  own: boolean;
  text: string;
  marks: string;
  context: [number, string][];
}

export interface ShownFailure {
  fault: string;
  message: string;
  type: string;
  traceback: string;
  frames: Frame[];
  notes: string[];
  cause: ShownFailure | null;
  during: boolean;
  members: ShownFailure[];
  count: number;
  node: string;
  line: string;
}

export interface ShownAttempt {
  number: number;
  phase: Phase;
  launched_at: string | null;
  started_at: string | null;
  ended_at: string | null;
  worker: string;
  failure: ShownFailure | null;
}

export interface Reason {
  text: string;
  run: string;
  node: string;
}

export interface CacheShape {
  version: string;
  key: string;
  inputs: Record<string, string>;
  ignored: string[];
  serialize: boolean;
}

export interface HowItRuns {
  cpu: string;
  mem: string;
  gpu: string;
  storage: string;
  image: string;
  timeout: number | null;
  retries: number | null;
  backoff: number | null;
  interruptible: boolean | null;
  environment: string[];
  secrets: string[];
}

export interface CodeShape {
  module: string;
  function: string;
  file: string;
  line: number;
  digest: string;
  bundle: string;
  python: string;
  kind: string;
  name: string;
  version: string;
  project: string;
  domain: string;
  registered: boolean;
  doc: string;
}

export interface GateAnswer {
  by: string;
  at: string | null;
  reason: string;
}

/** All that the panel of a run or of a node shows. */
export interface About {
  run: RunRow;
  path: string;
  kind: string;
  entity: string;
  name: string;
  phase: Phase;
  line: string;
  created_at: string | null;
  queued_at: string | null;
  started_at: string | null;
  ended_at: string | null;
  inputs: ShownValue[];
  outputs: ShownValue[] | null;
  failure: ShownFailure | null;
  attempts: ShownAttempt[];
  progress: NodeProgress | null;
  waits_for: string | null;
  why: Reason[];
  cache: CacheShape | null;
  runs_with: HowItRuns | null;
  code: CodeShape | null;
  answer: GateAnswer | null;
  waiting: Waiting[];
}

export interface TableHead {
  columns: { name: string; type: string; number: boolean }[];
  rows: (string | null)[][];
  count: number;
  width: number;
  remark: string;
}

export interface Directory {
  entries: { path: string; bytes: number; link: string }[];
  count: number;
  bytes: number;
  next: number | null;
}

export interface FileHead {
  text: string;
  bytes: number;
  cut: boolean;
  media: string;
  picture: boolean;
}

export interface ShownPart {
  value: Shown;
  next: number | null;
}

export interface Waiting {
  gate: string;
  path: string;
  kind: "approve" | "signal" | "sleep";
  type: string | null;
  wanted: LiteralType | null;
  until: string | null;
  waits_for: string;
}

export interface RunDetail extends RunRow {
  inputs: Record<string, unknown>;
  outputs: Record<string, unknown> | null;
  failure: Failure | null;
  waiting: Waiting[];
}

export interface WrittenLine {
  number: number;
  node: string;
  attempt: number;
  stream: string;
  level: string;
  at: string | null;
  text: string;
  cut: boolean;
}

export interface WrittenLines {
  total: number;
  lines: WrittenLine[];
  attempts: number[];
  streams: string[];
  levels: string[];
}

export interface FoundLines {
  lines: number[];
  until: number;
  done: boolean;
}

export interface Deck {
  node: string;
  attempt: number;
  name: string;
  at: string | null;
  page: string;
}

const BASE = "/api/v1";

export function address(path: string, query: Record<string, string | number | undefined> = {}): string {
  const said = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") said.set(name, String(value));
  }
  const text = said.toString();
  return BASE + path + (text ? `?${text}` : "");
}

/** A run's address; its parts may hold anything. */
export function ofRun(run: string, ...rest: string[]): string {
  return ["/runs", encodeURIComponent(run), ...rest].join("/");
}

/** A request of whoever is logged in; once more where the login had to be taken up again. */
export async function asked(url: string, init: RequestInit = {}): Promise<Response> {
  const send = (): Promise<Response> => fetch(url, { ...init, headers: { ...init.headers, ...login.headers() } });
  const response = await send();
  clockIn(response);
  if (response.status !== 401) return response;
  if (await login.refreshed()) return send();
  // Where a login has ended, what is shown stays: what is looked for comes with the next one. Whoever acts is told.
  if (login.ended && (init.method ?? "GET") === "GET") return new Promise((_, failed) => init.signal?.addEventListener("abort", () => failed(init.signal?.reason as Error)));
  return response;
}

async function ask<T>(url: string, init: RequestInit): Promise<T> {
  const response = await asked(url, init);
  if (!response.ok) throw await refusal(response);
  return (await response.json()) as T;
}

export function get<T>(url: string, signal?: AbortSignal): Promise<T> {
  return ask<T>(url, signal ? { signal } : {});
}

/** What the server says, to the digit. */
export async function getText(url: string, signal?: AbortSignal): Promise<string> {
  const response = await asked(url, signal ? { signal } : {});
  if (!response.ok) throw await refusal(response);
  return response.text();
}

/** With a body that is JSON already. */
export function postText<T>(url: string, body: string, signal?: AbortSignal): Promise<T> {
  return ask<T>(url, { method: "POST", headers: { "content-type": "application/json" }, body, ...(signal ? { signal } : {}) });
}

export function post<T>(url: string, body: unknown): Promise<T> {
  return ask<T>(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}
