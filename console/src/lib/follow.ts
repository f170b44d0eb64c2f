// Event streams of the page: one line of the connection's state for each, for as long as somebody listens.

import { events, Refused, type Heard } from "../api/stream";
import { connection } from "./connection.svelte";

export { Parser, type Heard } from "../api/stream";

/** Listens until the returned function is called, or an `end` comes. `refused` hears of what no new attempt would mend. */
export function follow(url: string, hear: (heard: Heard) => void, refused?: (error: Refused) => void): () => void {
  const stop = new AbortController();

  async function listen(): Promise<void> {
    const listening = { signal: stop.signal, up: () => connection.up(url), down: () => connection.down(url) };
    try {
      for await (const heard of events(url, listening)) hear(heard);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      refused?.(error);
    } finally {
      connection.gone(url);
    }
  }

  void listen();
  return () => stop.abort();
}
