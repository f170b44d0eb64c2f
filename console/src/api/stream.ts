// Server-sent events over fetch. Unlike EventSource it can be given a token, ends at an `end`, and says what is wrong.

import type { components } from "./schema";

export type Problem = components["schemas"]["Problem"];

/** What the server refused, in its own words. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    message: string,
    /** The name of the error, such as `EntityNotFound`; "" where the answer was not the server's. */
    readonly kind = "",
  ) {
    super(message);
    this.name = "Refused";
  }
}

export async function refusal(response: Response): Promise<Refused> {
  let said: Partial<Problem> = {};
  try {
    said = (await response.json()) as Partial<Problem>;
  } catch {
    said = {};
  }
  const kind = said.type?.split(":").pop() ?? "";
  const detail = said.detail || `the server answered ${response.status}`;
  return new Refused(response.status, said.title ?? response.statusText, detail, kind);
}

/** One event: `id` is "" where it has none. */
export interface Heard {
  kind: string;
  data: string;
  id: string;
}

/** Takes bytes as they come, gives whole events. */
export class Parser {
  #text = "";
  #decoder = new TextDecoder();

  feed(bytes: Uint8Array): Heard[] {
    this.#text += this.#decoder.decode(bytes, { stream: true });
    const blocks = this.#text.split("\n\n");
    this.#text = blocks.pop() ?? "";
    const heard: Heard[] = [];
    for (const block of blocks) {
      let kind = "message";
      let id = "";
      const data: string[] = [];
      for (const line of block.split("\n")) {
        if (line.startsWith("event: ")) kind = line.slice(7);
        else if (line.startsWith("data: ")) data.push(line.slice(6));
        else if (line.startsWith("id: ")) id = line.slice(4);
      }
      if (data.length > 0 || id) heard.push({ kind, data: data.join("\n"), id });
    }
    return heard;
  }
}

export interface Listening {
  /** Ends it. */
  signal?: AbortSignal;
  /** The id of the last event that was heard before: what came after it is told. */
  last?: string;
  /** Asked before every connection, as tokens expire. */
  headers?: () => Record<string, string>;
  fetch?: typeof fetch;
  /** A connection stands; a connection is lost, and there will be another. */
  up?: (response: Response) => void;
  down?: () => void;
}

/** Milliseconds between two connections: the first, and the longest. */
export const WAITS = { first: 250, longest: 5_000 };

/**
 * The events of a stream, across connections: each new one says which event was the last, so that none is missed. Events
 * that have no id may come twice. Ends after an `end`, where the server has nothing more to tell, and by the signal.
 * Throws `Refused` for what no new attempt would mend.
 */
export async function* events(url: string, listening: Listening = {}): AsyncGenerator<Heard, void, undefined> {
  const { signal } = listening;
  const call = listening.fetch ?? fetch;
  let last = listening.last ?? "";
  let wait = WAITS.first;
  const ended = () => signal?.aborted ?? false;
  while (!ended()) {
    const began = Date.now();
    const stop = new AbortController();
    const abort = () => stop.abort();
    signal?.addEventListener("abort", abort);
    try {
      const headers: Record<string, string> = { ...listening.headers?.(), accept: "text/event-stream" };
      if (last) headers["last-event-id"] = last;
      const response = await reached(call(url, { headers, signal: stop.signal, cache: "no-store" }));
      if (response.status === 204) return;
      if (!response.ok) throw await refusal(response);
      listening.up?.(response);
      const reader = response.body?.getReader();
      const parser = new Parser();
      for (;;) {
        const { done, value } = reader ? await reached(reader.read()) : { done: true, value: undefined };
        if (done || !value) break;
        for (const heard of parser.feed(value)) {
          if (heard.id) last = heard.id;
          yield heard;
          if (heard.kind === "end") return;
        }
      }
    } catch (error) {
      if (ended()) return;
      const passes = error instanceof Lost || (error instanceof Refused && (error.status >= 500 || error.status === 429));
      if (!passes) throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
      // Also where whoever listened went away in the middle.
      stop.abort();
    }
    if (ended()) return;
    listening.down?.();
    wait = Date.now() - began > WAITS.longest ? WAITS.first : Math.min(wait * 2, WAITS.longest);
    await slept(wait, signal);
  }
}

/** A connection that could not be made, or broke. */
class Lost extends Error {}

/** Tells what the network does from mistakes, which are errors of the same classes. */
async function reached<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new Lost("the connection is lost", { cause: error });
  }
}

function slept(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", done);
  });
}
