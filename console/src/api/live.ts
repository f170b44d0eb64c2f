// Run by tests/e2e/console/test_client.py against `whimbrel up` at WHIMBREL_URL, where the flows of its tests are registered.

import { beforeAll, expect, it } from "vitest";
import { Client } from "./client";
import { Refused, WAITS, type Heard } from "./stream";

const url = process.env.WHIMBREL_URL;
if (!url) throw new Error("say where the server is: WHIMBREL_URL");
const client = new Client({ url });
const place = { project: "flytesnacks", domain: "development" };
const door = `${process.env.WHIMBREL_DOOR}`;

beforeAll(() => Object.assign(WAITS, { first: 10, longest: 100 }));

const launched = (name: string, inputs: Record<string, unknown>) =>
  client.post("/api/v1/runs", { body: { ...place, kind: "workflow", name: `flow_programs.${name}`, inputs } });

it("lists, launches and follows", async () => {
  const { run } = await launched("doubles", { x: 4 });
  const heard: Heard[] = [];
  for await (const one of client.follow("/api/v1/runs/{run}/events", { path: { run } })) heard.push(one);
  expect(heard.at(-1)?.kind).toBe("end");
  expect(JSON.parse(heard.at(-1)?.data ?? "{}")).toMatchObject({ run, phase: "SUCCEEDED" });
  const numbers = heard.slice(0, -1).map((one) => Number(one.id));
  expect(numbers).toEqual(numbers.map((_, at) => at + 1));
  const detail = await client.get("/api/v1/runs/{run}", { path: { run } });
  expect([detail.phase, detail.outputs, detail.nodes.map((node) => node.path)]).toEqual(["SUCCEEDED", { o0: 16 }, ["n0", "n1"]]);
  const page = await client.get("/api/v1/runs", { query: { ...place, limit: 1 } });
  expect(page.runs.map((row) => row.run)).toEqual([run]);
});

it("goes on where a connection breaks, and hears each event once", async () => {
  const { run } = await launched("doubles", { x: 5 });
  let connections = 0;
  // The first connections break in the middle of what came first: all of it may come at once, the end too.
  const cutting: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    if (++connections > 3 || !response.body) return response;
    const reader = response.body.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    return new Response(value?.slice(0, value.length / 2), { headers: response.headers });
  };
  const heard: string[] = [];
  const broken = new Client({ url, fetch: cutting });
  for await (const one of broken.follow("/api/v1/runs/{run}/events", { path: { run } })) {
    if (one.kind !== "end") heard.push(one.id);
  }
  expect(connections).toBeGreaterThan(1);
  expect(heard).toEqual(heard.map((_, at) => `${at + 1}`));
});

it("aborts", async () => {
  const { run } = await launched("waits", { x: 2, door });
  let asked = false;
  for await (const one of client.follow("/api/v1/runs/{run}/events", { path: { run } })) {
    // Its first event has come: it runs.
    if (!asked && one.kind !== "end") {
      asked = true;
      await client.post("/api/v1/runs/{run}/abort", { path: { run }, body: { reason: "not needed" } });
    }
  }
  const detail = await client.get("/api/v1/runs/{run}", { path: { run } });
  expect(detail.phase).toBe("ABORTED");
  await expect(client.post("/api/v1/runs/{run}/abort", { path: { run }, body: {} })).rejects.toMatchObject({ status: 409 });
});

it("says what the server refuses", async () => {
  await expect(client.get("/api/v1/runs/{run}", { path: { run: "nothing/at all" } })).rejects.toThrow(Refused);
  await expect(launched("nothing", {})).rejects.toMatchObject({ status: 404, kind: "EntityNotFound" });
  await expect(launched("doubles", { x: "four" })).rejects.toThrow("x");
});

it("sees schedules", async () => {
  expect(await client.get("/api/v1/schedules")).toEqual({ schedules: [], next: null });
});
