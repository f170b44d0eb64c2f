import { describe, expect, it } from "vitest";
import type { RunRow } from "./api";
import { askedOf, filterOf, momentOf, saidOf, takes } from "./filters";
import { cronInWords, zoneOf } from "./schedules";
import { PAGE, RunList, type Source } from "./runlist";

function row(number: number, more: Partial<RunRow> = {}): RunRow {
  const at = new Date(Date.UTC(2026, 0, 1) + number * 1000).toISOString().replace("Z", "000+00:00");
  return {
    run: `r${String(number).padStart(6, "0")}`, entity: "shop.wf", phase: "SUCCEEDED", source: "", created_at: at, started_at: at, ended_at: at, epoch: 1, owner: "", message: "", project: "", domain: "", name: "", kind: "", target: "",
    version: "", labels: {}, tags: [], principal: "", cause: "", parent: "", gates: 0, nodes_known: 0, nodes_done: 0, url: "", ...more,
  };
}

/** A server with runs, the newest first, whose pages may be short; `counted` is how many it counts at most. */
function served(count: number, { step = PAGE, counted = Infinity }: { step?: number; counted?: number } = {}) {
  const rows = Array.from({ length: count }, (_, at) => row(count - at));
  let asked = 0;
  const after = (cursor: string): RunRow[] => (cursor ? rows.slice(rows.findIndex((each) => each.run === cursor) + 1) : rows);
  const source: Source = {
    page: async (cursor) => {
      asked += 1;
      const rest = after(cursor);
      const runs = rest.slice(0, Math.min(step, PAGE));
      return { runs, next: rest.length > runs.length ? (runs.at(-1)?.run ?? null) : null };
    },
    rest: async (cursor) => {
      const rest = after(cursor).slice(0, counted);
      return { count: rest.length, ends: rest.filter((_, at) => at % PAGE === PAGE - 1).map((each) => each.run), whole: rest.length < counted };
    },
    takes: () => true,
  };
  return { rows, source, asked: () => asked };
}

async function settled(list: RunList, first: number, last: number): Promise<void> {
  for (let turn = 0; turn < 50; turn++) {
    list.look(first, last);
    await new Promise((done) => setTimeout(done, 0));
    if (Array.from({ length: last - first }, (_, at) => list.at(first + at)).every(Boolean)) return;
  }
}

const made = (source: Source): RunList => new RunList(source, () => undefined, (error) => { throw error; });

describe("a list of runs", () => {
  it.each([[0, 200], [1, 200], [200, 200], [201, 200], [1_000, 200], [12_345, 200], [1_001, 77]])("of %i is the server's, wherever one looks, in pages of %i", async (count, step) => {
    const { rows, source } = served(count, { step });
    const list = made(source);
    await list.read();
    expect(list.length).toBe(count);
    expect(list.whole).toBe(true);
    for (const first of [0, count >> 1, Math.max(0, count - 20), 3]) {
      const last = Math.min(count, first + 20);
      await settled(list, first, last);
      for (let at = first; at < last; at++) expect(list.at(at)?.run).toBe(rows[at]?.run);
    }
  });

  it("has a bounded number of pages in memory, and reads again what it forgot", async () => {
    const { rows, source, asked } = served(20_000);
    const list = made(source);
    await list.read();
    for (let at = 0; at < 19_900; at += 150) await settled(list, at, at + 40);
    expect(list.pagesKept).toBeLessThanOrEqual(12);
    const before = asked();
    await settled(list, 0, 40);
    expect(asked()).toBeGreaterThan(before);
    expect(list.at(0)?.run).toBe(rows[0]?.run);
  });

  it("that is longer than anybody counts goes on", async () => {
    const { rows, source } = served(2_000, { counted: 500 });
    const list = made(source);
    await list.read();
    expect(list.whole).toBe(false);
    for (let turn = 0; turn < 30 && !list.whole; turn++) await settled(list, list.length - 30, list.length);
    expect(list.length).toBe(2_000);
    expect(list.at(1_999)?.run).toBe(rows[1_999]?.run);
  });

  it("takes new rows at its top, and holds them back while somebody reads further down", async () => {
    const { rows, source } = served(1_000);
    const list = made(source);
    await list.read();
    list.merge([row(2_000)], true);
    expect([list.length, list.at(0)?.run, list.at(1)?.run]).toEqual([1_001, "r002000", rows[0]?.run]);
    list.merge([row(2_001), row(2_002), row(2_001)], false);
    expect([list.length, list.held, list.at(0)?.run]).toEqual([1_001, 2, "r002000"]);
    // One that is there is replaced; pages beyond it stay where they are.
    list.merge([row(999, { message: "new" })], false);
    expect([list.length, list.at(2)?.message]).toEqual([1_001, "new"]);
    await settled(list, 600, 620);
    expect(list.at(601)?.run).toBe(rows[600]?.run);
  });

  it("loses what is not meant any more, and has it back where it belongs", async () => {
    const { rows, source } = served(500);
    const list = made({ ...source, takes: (each) => each.phase === "SUCCEEDED" });
    await list.read();
    const third = rows[2] as RunRow;
    list.merge([{ ...third, phase: "RUNNING" }], true);
    expect([list.length, list.at(2)?.run]).toEqual([499, rows[3]?.run]);
    list.merge([third], true);
    expect([list.length, list.at(2)?.run]).toEqual([500, third.run]);
  });
});

describe("filters", () => {
  const now = Date.UTC(2026, 0, 2);

  it("stand in the address as they were", () => {
    const text = "phase=failed,waiting&project=p&label=team%3Dml,nightly&since=24h&text=a+b";
    const filter = filterOf(new URLSearchParams(text));
    expect(filterOf(new URLSearchParams(Object.entries(saidOf(filter)).filter(([, value]) => value)))).toEqual(filter);
    expect(askedOf(filter, now)).toMatchObject({ phase: "PAUSED,FAILED,TIMED_OUT", since: "2026-01-01T00:00:00.000Z", label: "team=ml,nightly" });
  });

  it.each([["30m", "2026-01-01T23:30:00.000Z"], ["2", "2026-01-01T22:00:00.000Z"], ["7d", "2025-12-26T00:00:00.000Z"], ["2025-05-05T00:00:00Z", "2025-05-05T00:00:00.000Z"], ["nonsense", ""], ["", ""]])("read %s as a moment", (text, moment) => {
    expect(momentOf(text, now)).toBe(moment);
  });

  it.each([
    ["phase=waiting", { phase: "RUNNING", gates: 1 }, { phase: "RUNNING" }],
    ["phase=running", { phase: "QUEUED" }, { phase: "FAILED" }],
    ["entity=wf", { entity: "shop.wf" }, { entity: "shop.xwf" }],
    ["label=team%3Dml", { labels: { team: "ml" } }, { labels: { team: "web" } }],
    ["label=team", { labels: { team: "ml" } }, { tags: ["teams"] }],
    ["label=nightly", { tags: ["nightly"] }, {}],
    ["text=BOOM", { message: "it went boom" }, { message: "bo om" }],
    ["since=24h", { created_at: "2026-01-01T00:00:00+00:00" }, { created_at: "2025-12-31T23:59:59.999999+00:00" }],
    ["until=2026-01-01T00:00:00Z", { created_at: "2025-12-31T23:59:59+00:00" }, { created_at: "2026-01-01T00:00:00+00:00" }],
  ] as [string, Partial<RunRow>, Partial<RunRow>][])("of %s take what the server takes", (text, one, other) => {
    const filter = filterOf(new URLSearchParams(text));
    const asked = askedOf(filter, now);
    expect([takes(filter, asked, row(1, one)), takes(filter, asked, row(1, other))]).toEqual([true, false]);
  });
});

describe("schedules", () => {
  it.each([["0 2 * * *", "every day at 02:00"], ["*/5 * * * *", "every 5 minutes"], ["15 * * * *", "every hour, at minute 15"], ["CRON_TZ=Europe/Oslo 30 7 * * 1-5", "on weekdays at 07:30"], ["0 0 1 * *", ""], ["hourly", ""]])("%s is %s", (text, words) => {
    expect(cronInWords(text)).toBe(words);
  });

  it("are of a zone", () => {
    expect([zoneOf({ type: "cron", schedule: "CRON_TZ=Europe/Oslo 0 2 * * *", kickoff_time_input: "" }), zoneOf({ type: "rate", seconds: 60, kickoff_time_input: "" })]).toEqual(["Europe/Oslo", "UTC"]);
  });
});
