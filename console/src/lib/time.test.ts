import { afterEach, beforeEach, expect, it, vi } from "vitest";

// Each test has a page of its own, which has heard nothing yet.
let time: typeof import("./time.svelte");
const NOW = Date.parse("2026-11-22T10:00:00Z");

beforeEach(async () => {
  vi.resetModules();
  vi.useFakeTimers({ now: NOW, toFake: ["Date"] });
  time = await import("./time.svelte");
});
afterEach(() => vi.useRealTimers());

const HOUR = 3_600_000;

it("goes by the server's clock, however wrong this one is", () => {
  for (const off of [-7 * HOUR, 5 * HOUR, 0]) {
    time.clockSays(NOW + off);
    expect(time.instant()).toBe(NOW + off);
  }
});

it("is not led astray by workers whose clocks are ahead", () => {
  time.clockSays(NOW);
  time.serverSays(new Date(NOW + 5 * HOUR).toISOString());
  expect(time.instant()).toBe(NOW);
});

it("takes the answer that was the fastest, and a second is no correction", () => {
  time.clockSays(NOW - 400);
  expect(time.instant()).toBe(NOW - 400);
  time.clockSays(NOW - 10);
  expect(time.instant()).toBe(NOW - 10);
  time.clockSays(NOW - 300);
  time.clockSays(NOW - 1_400, true);
  expect(time.instant()).toBe(NOW - 10);
});

it("makes do with heads of answers, and with what has been", () => {
  time.serverSays(new Date(NOW + HOUR).toISOString());
  expect(time.instant()).toBe(NOW + HOUR);
  time.clockIn(new Response("", { headers: { date: new Date(NOW + 2 * HOUR).toUTCString() } }));
  expect(time.instant()).toBe(NOW + 2 * HOUR + 500);
  time.clockIn(new Response(""));
  time.clockSays(NOW + 2 * HOUR);
  expect(time.instant()).toBe(NOW + 2 * HOUR);
});
