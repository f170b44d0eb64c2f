// Event streams of the page: one line of the connection's state for each, for as long as somebody listens.

import { events, Refused, type Heard } from "../api/stream";
import { connection } from "./connection.svelte";
import { login } from "./login.svelte";
import { clockIn } from "./time.svelte";

export { Parser, type Heard } from "../api/stream";

/** Listens until the returned function is called, or an `end` comes. `refused` hears of what no new attempt would mend. */
export function follow(url: string, hear: (heard: Heard) => void, refused?: (error: Refused) => void): () => void {
  const stop = new AbortController();
  const me = Symbol(url);

  async function listen(): Promise<void> {
    let last = "";
    const listening = { signal: stop.signal, headers: () => login.headers(), up: (response: Response) => (connection.up(me), clockIn(response)), down: () => connection.down(me) };
    for (;;) {
      try {
        for await (const heard of events(url, { ...listening, last })) {
          if (heard.id) last = heard.id;
          hear(heard);
        }
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        // A token ends while one listens: the next connection shows another.
        if (error.status === 401 && (await login.refreshed()) && !stop.signal.aborted) continue;
        // Where a login has ended, what is shown stays.
        if (!(error.status === 401 && login.ended)) refused?.(error);
      }
      connection.over(me);
      return;
    }
  }

  void listen();
  return () => stop.abort();
}
