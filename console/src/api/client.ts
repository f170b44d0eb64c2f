// A client of the server's REST whose paths, queries, bodies and answers are those of its OpenAPI document.

import type { components, paths } from "./schema";
import { events, refusal, type Heard, type Listening } from "./stream";

/** The shapes by name: `Shape["Detail"]`. */
export type Shape = components["schemas"];

type Method = "get" | "post" | "put" | "delete";

/** The paths that take a method. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends { [K in M]: { responses: unknown } } ? P : never;
}[keyof paths];

type Operation<P extends keyof paths, M extends Method> = paths[P] extends { [K in M]: infer O } ? O : never;

type Parameters<O, W extends "path" | "query"> = O extends { parameters: { [K in W]?: infer V } } ? NonNullable<V> : never;

type Body<O> = O extends { requestBody: { content: { "application/json": infer B } } } ? B : never;

type Answers<O> = O extends { responses: infer R } ? { [S in keyof R]: S extends 200 | 201 | 202 ? R[S] : never }[keyof R] : never;

/** What is answered as JSON. */
export type Answer<P extends keyof paths, M extends Method> =
  Answers<Operation<P, M>> extends { content: { "application/json": infer A } } ? A : undefined;

/** A field that need not be given where all of it is optional, and cannot be where there is nothing to give. */
type Field<K extends string, V> = [V] extends [never]
  ? { [N in K]?: undefined }
  : object extends V
    ? { [N in K]?: V }
    : { [N in K]: V };

/** What a request is told. */
export type Said<P extends keyof paths, M extends Method> = Field<"path", Parameters<Operation<P, M>, "path">> &
  Field<"query", Parameters<Operation<P, M>, "query">> &
  Field<"body", Body<Operation<P, M>>> & { signal?: AbortSignal };

/** Nothing has to be said where nothing is required. */
type Rest<S> = object extends S ? [said?: S] : [said: S];

interface Loose {
  path?: object | undefined;
  query?: object | undefined;
  body?: unknown;
  signal?: AbortSignal;
}

export interface ClientOptions {
  /** Where the server is: `http://localhost:30080`. "" in a page that comes from it. */
  url?: string;
  /** The token to show, asked before every request. */
  token?: () => string | undefined;
  fetch?: typeof fetch;
}

/** See above. Every method throws `Refused` for what the server refuses. */
export class Client {
  readonly #url: string;
  readonly #token: () => string | undefined;
  readonly #fetch: typeof fetch;

  constructor(options: ClientOptions = {}) {
    this.#url = (options.url ?? "").replace(/\/+$/, "");
    this.#token = options.token ?? (() => undefined);
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
  }

  get<P extends PathOf<"get">>(path: P, ...[said]: Rest<Said<P, "get">>): Promise<Answer<P, "get">> {
    return this.#ask("GET", path, said);
  }

  post<P extends PathOf<"post">>(path: P, ...[said]: Rest<Said<P, "post">>): Promise<Answer<P, "post">> {
    return this.#ask("POST", path, said);
  }

  put<P extends PathOf<"put">>(path: P, ...[said]: Rest<Said<P, "put">>): Promise<Answer<P, "put">> {
    return this.#ask("PUT", path, said);
  }

  delete<P extends PathOf<"delete">>(path: P, ...[said]: Rest<Said<P, "delete">>): Promise<Answer<P, "delete">> {
    return this.#ask("DELETE", path, said);
  }

  /** The events of a path that streams, for as long as there are any: see `events`. */
  follow<P extends PathOf<"get">>(
    path: P,
    ...[said]: Rest<Said<P, "get"> & Omit<Listening, "headers" | "fetch">>
  ): AsyncGenerator<Heard, void, undefined> {
    const { path: places, query, body: _, ...listening } = (said ?? {}) as Loose & Listening;
    return events(this.address(path, places, query), {
      ...listening,
      headers: () => this.#headers(),
      fetch: this.#fetch,
    });
  }

  /** Where a path is; what is filled in may hold anything. */
  address(path: string, places: object = {}, query: object = {}): string {
    const filled = Object.entries(places).reduce((so, [name, value]) => so.replace(`{${name}}`, () => encodeURIComponent(String(value))), path);
    const asked = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== null && value !== "") asked.set(name, String(value));
    }
    const text = asked.toString();
    return this.#url + filled + (text ? `?${text}` : "");
  }

  #headers(): Record<string, string> {
    const token = this.#token();
    return token ? { authorization: `Bearer ${token}` } : {};
  }

  async #ask<A>(method: string, path: string, said: Loose = {}): Promise<A> {
    const headers: Record<string, string> = { ...this.#headers(), accept: "application/json" };
    const init: RequestInit = { method, headers };
    if (method !== "GET") {
      headers["content-type"] = "application/json";
      init.body = JSON.stringify(said.body ?? {});
    }
    if (said.signal) init.signal = said.signal;
    const response = await this.#fetch(this.address(path, said.path, said.query), init);
    if (!response.ok) throw await refusal(response);
    const text = await response.text();
    return (text ? JSON.parse(text) : undefined) as A;
  }
}
