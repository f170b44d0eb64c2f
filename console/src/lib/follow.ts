// Server-sent events over fetch: with the id of the last one on every new connection, for as long as somebody listens.

import { refusal, Refused } from "./api";
import { connection } from "./connection.svelte";

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

const FIRST_WAIT = 250;
const LONGEST_WAIT = 5_000;

/** Listens until the returned function is called, or an `end` comes. `refused` hears of what no new attempt would mend. */
export function follow(url: string, hear: (heard: Heard) => void, refused?: (error: Refused) => void): () => void {
  const stop = new AbortController();
  let last = "";

  async function once(): Promise<boolean> {
    const headers: Record<string, string> = { accept: "text/event-stream" };
    if (last) headers["last-event-id"] = last;
    const response = await fetch(url, { headers, signal: stop.signal, cache: "no-store" });
    if (response.status === 204) return true;
    if (!response.ok) throw await refusal(response);
    connection.up(url);
    const reader = response.body?.getReader();
    if (!reader) return false;
    const parser = new Parser();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return false;
      for (const heard of parser.feed(value)) {
        if (heard.id) last = heard.id;
        hear(heard);
        if (heard.kind === "end") return true;
      }
    }
  }

  async function listen(): Promise<void> {
    let wait = FIRST_WAIT;
    while (!stop.signal.aborted) {
      const began = Date.now();
      try {
        if (await once()) break;
      } catch (error) {
        if (stop.signal.aborted) break;
        if (error instanceof Refused && error.status < 500 && error.status !== 429) {
          refused?.(error);
          break;
        }
      }
      if (stop.signal.aborted) break;
      connection.down(url);
      wait = Date.now() - began > LONGEST_WAIT ? FIRST_WAIT : Math.min(wait * 2, LONGEST_WAIT);
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
    connection.gone(url);
  }

  void listen();
  return () => stop.abort();
}
