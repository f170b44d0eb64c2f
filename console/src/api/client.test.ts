import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Client } from "./client";
import { events, Refused, WAITS, type Heard } from "./stream";

/** Never called: what must not compile. `npm run check` holds it to that. */
export async function wrong(client: Client) {
  // @ts-expect-error there is no such path
  await client.get("/api/v1/nothing");
  // @ts-expect-error which run
  await client.get("/api/v1/runs/{run}");
  // @ts-expect-error there is no such parameter
  await client.get("/api/v1/runs", { query: { limits: 3 } });
  // @ts-expect-error it is a number
  await client.get("/api/v1/runs", { query: { limit: "3" } });
  // @ts-expect-error there is nothing to get
  await client.get("/api/v1/runs/{run}/abort", { path: { run: "x" } });
  // @ts-expect-error the name is missing
  await client.post("/api/v1/runs", { body: { project: "p", domain: "d", kind: "task" } });
  // @ts-expect-error there is no such field
  (await client.get("/api/v1/runs")).rows;
}

type Answering = (url: string, headers: Record<string, string>) => Response;

function fetching(...answers: Answering[]): typeof fetch {
  const left = [...answers];
  return async (input, init) => {
    const answer = left.length > 1 ? left.shift() : left[0];
    return answer!(String(input), init?.headers as Record<string, string>);
  };
}

const stream = (text: string): Response => new Response(text, { headers: { "content-type": "text/event-stream" } });

async function heard(said: AsyncIterable<Heard>): Promise<string[]> {
  const found: string[] = [];
  for await (const one of said) found.push(`${one.kind} ${one.data}`);
  return found;
}

const waits = { ...WAITS };
beforeEach(() => Object.assign(WAITS, { first: 1, longest: 2 }));
afterEach(() => Object.assign(WAITS, waits));

describe("an address", () => {
  it("holds whatever is filled in, and asks what is said", () => {
    const client = new Client({ url: "http://here/" });
    const place = { project: "p", domain: "d", name: "a/b c?&$1{domain}" };
    expect(client.address("/api/v1/schedules/{project}/{domain}/{name}", place, { limit: 2, cursor: "", text: "ä&" })).toBe(
      "http://here/api/v1/schedules/p/d/a%2Fb%20c%3F%26%241%7Bdomain%7D?limit=2&text=%C3%A4%26",
    );
  });
});

describe("a request", () => {
  it("shows its token, and sends JSON", async () => {
    const seen: unknown[] = [];
    const client = new Client({
      token: () => "secret",
      fetch: (url, init) => {
        seen.push([url, init?.method, init?.headers, init?.body]);
        return Promise.resolve(Response.json({ run: "r" }, { status: 202 }));
      },
    });
    await client.post("/api/v1/runs/{run}/abort", { path: { run: "r" }, body: { reason: "why" } });
    const headers = { authorization: "Bearer secret", accept: "application/json", "content-type": "application/json" };
    expect(seen).toEqual([["/api/v1/runs/r/abort", "POST", headers, '{"reason":"why"}']]);
  });

  it.each([
    [() => Response.json({ type: "urn:whimbrel:problem:EntityNotFound", title: "Not Found", detail: "no run x" }, { status: 404 }), "no run x", "EntityNotFound"],
    [() => new Response("<html>", { status: 502 }), "the server answered 502", ""],
  ])("that is refused says why", async (answer, message, kind) => {
    const client = new Client({ fetch: fetching(answer) });
    const refused = await client.get("/api/v1/runs").then(() => null, (error: unknown) => error);
    expect(refused).toBeInstanceOf(Refused);
    expect(refused).toMatchObject({ message, kind });
  });
});

describe("a stream", () => {
  it("goes on where it broke off, until its end", async () => {
    const lasts: (string | undefined)[] = [];
    const answering = (text: string): Answering => (_, headers) => {
      lasts.push(headers["last-event-id"]);
      return stream(text);
    };
    const broken: Answering = () => {
      throw new TypeError("fetch failed");
    };
    const call = fetching(
      answering("id: 1\nevent: a\ndata: 1\n\nid: 2\nevent: a\ndata: 2\n\nid: 3\nevent: a\nda"),
      broken,
      () => new Response("", { status: 503 }),
      answering(": still here\n\nid: 3\nevent: a\ndata: 3\n\nevent: end\ndata: {}\n\nevent: a\ndata: never\n\n"),
    );
    const state: string[] = [];
    const said = events("/x", { fetch: call, up: () => state.push("up"), down: () => state.push("down") });
    expect(await heard(said)).toEqual(["a 1", "a 2", "a 3", "end {}"]);
    expect(lasts).toEqual([undefined, "2"]);
    expect(state).toEqual(["up", "down", "down", "down", "up"]);
  });

  it("ends where the server has nothing more to tell", async () => {
    expect(await heard(events("/x", { last: "7", fetch: fetching(() => new Response(null, { status: 204 })) }))).toEqual([]);
  });

  it("is not asked for again where it is refused, and not where the mistake is ours", async () => {
    const refused = events("/x", { fetch: fetching(() => Response.json({ detail: "no" }, { status: 404 })) });
    await expect(heard(refused)).rejects.toThrow("no");
    const mistaken = events("/x", { fetch: fetching(() => stream("event: a\ndata: 1\n\n")), up: () => JSON.parse("{") as void });
    await expect(heard(mistaken)).rejects.toThrow(SyntaxError);
  });

  it("ends by its signal, also between two connections, and lets go of its connection", async () => {
    const stop = new AbortController();
    let connections = 0;
    const call: typeof fetch = (_, init) => {
      connections++;
      init?.signal?.addEventListener("abort", () => connections--);
      return Promise.resolve(stream("id: 1\nevent: a\ndata: 1\n\n"));
    };
    const found: string[] = [];
    for await (const one of events("/x", { signal: stop.signal, fetch: call })) {
      found.push(one.data);
      if (found.length === 3) stop.abort();
    }
    expect(found).toEqual(["1", "1", "1"]);
    expect(connections).toBe(0);
    for await (const one of events("/x", { fetch: call })) {
      expect(one.id).toBe("1");
      break;
    }
    expect(connections).toBe(0);
  });
});
