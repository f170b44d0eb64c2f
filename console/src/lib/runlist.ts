// A list of runs of any length, of which the pages around what is looked at are in memory.
//
// Pages are known by the run that each begins after, so that any of them can be read again: what is new comes before
// the first one, and moves none. Rows that come while somebody reads further down wait until they are asked for.

import type { RunRow } from "./api";

export const PAGE = 200;
/** Pages in memory: some 2,400 rows, whatever the list is long. */
const KEPT = 12;
/** Rows that came since the list was read; when there are more it is read again. */
const NEWER = 1_000;

export interface Source {
  page(cursor: string, signal: AbortSignal): Promise<{ runs: RunRow[]; next: string | null }>;
  /** How many runs come after one, and where their pages end. */
  rest(cursor: string, signal: AbortSignal): Promise<{ count: number; ends: string[]; whole: boolean }>;
  takes(row: RunRow): boolean;
}

function newer(a: RunRow, b: RunRow): boolean {
  const [at, bt] = [a.created_at ?? "", b.created_at ?? ""];
  return at > bt || (at === bt && a.run > b.run);
}

export class RunList {
  #head: RunRow[] = [];
  /** The newest one when the list was read. */
  #base: RunRow | undefined;
  #pages = new Map<number, RunRow[]>();
  #sizes: number[] = [];
  #starts: number[] = [];
  #ends: string[] = [];
  #held = new Map<string, RunRow>();
  /** What came while the list was read. */
  #early: RunRow[] = [];
  #reading = new Set<number>();
  #stop = new AbortController();
  #span: [number, number] = [0, 0];
  /** Whether the end is not known: pages are read on as somebody comes near. */
  #open = false;
  loading = true;

  constructor(
    private readonly source: Source,
    private readonly changed: () => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** How many rows there are, as far as is known. */
  get length(): number {
    return this.#head.length + (this.#starts[this.#sizes.length] ?? 0);
  }

  get whole(): boolean {
    return !this.#open && !this.loading;
  }

  /** How many have come since, and wait. */
  get held(): number {
    return this.#held.size;
  }

  at(index: number): RunRow | undefined {
    if (index < this.#head.length) return this.#head[index];
    const place = index - this.#head.length;
    const page = this.#pageAt(place);
    return this.#pages.get(page)?.[place - (this.#starts[page] ?? 0)];
  }

  /** Rows in memory, the newest first. */
  *known(): Generator<RunRow> {
    yield* this.#head;
    for (const page of [...this.#pages.keys()].sort((a, b) => a - b)) yield* this.#pages.get(page) ?? [];
  }

  get pagesKept(): number {
    return this.#pages.size;
  }

  async read(): Promise<void> {
    this.leave();
    const stop = (this.#stop = new AbortController());
    this.loading = true;
    this.#held.clear();
    try {
      const [runs, next] = await this.#page("", null, PAGE, stop.signal);
      if (stop.signal.aborted) return;
      this.#head = [];
      this.#base = runs[0];
      this.#pages = new Map([[0, runs]]);
      this.#sizes = [runs.length];
      this.#ends = next === null ? [] : [next];
      this.#open = false;
      this.#count();
      this.loading = false;
      this.merge(this.#early.splice(0), true);
      if (next === null) return;
      const rest = await this.source.rest(next, stop.signal);
      if (stop.signal.aborted) return;
      for (let left = rest.count; left > 0 && (rest.whole || left >= PAGE); left -= PAGE) this.#sizes.push(Math.min(PAGE, left));
      this.#ends.push(...rest.ends);
      this.#open = !rest.whole;
      this.#count();
      this.changed();
    } catch (error) {
      if (stop.signal.aborted) return;
      this.loading = false;
      this.failed(error);
    }
  }

  leave(): void {
    this.#stop.abort();
    this.#reading.clear();
  }

  /** What is looked at: its pages and those beside it are read, those far from it are forgotten. */
  look(first: number, last: number): void {
    this.#span = [this.#pageAt(first - this.#head.length), this.#pageAt(last - this.#head.length)];
    for (let page = this.#span[0] - 1; page <= this.#span[1] + 1; page++) this.#want(page);
    if (this.#open && this.#span[1] >= this.#sizes.length - 2 && this.#ends.length === this.#sizes.length) this.#want(this.#sizes.length);
  }

  /** Rows have changed, or are new. `top`: nobody reads further down, so that new ones may appear. */
  merge(rows: RunRow[], top: boolean): void {
    if (this.loading) {
      this.#early.push(...rows);
      return;
    }
    let counted = false;
    for (const row of rows) counted = this.#take(row, top) || counted;
    if (counted) this.#count();
    this.changed();
    if (top && this.#head.length > NEWER) void this.read();
  }

  #take(row: RunRow, top: boolean): boolean {
    const wanted = this.source.takes(row);
    for (const rows of [this.#head, ...this.#pages.values()]) {
      const at = rows.findIndex((each) => each.run === row.run);
      if (at < 0) continue;
      if (wanted) rows[at] = row;
      else rows.splice(at, 1);
      return !wanted;
    }
    if (!wanted) {
      this.#held.delete(row.run);
      return false;
    }
    if (!this.#base || newer(row, this.#base)) {
      if (top) this.#insert(this.#head, row);
      else if (this.#held.size < NEWER) this.#held.set(row.run, row);
      return top;
    }
    // One that is wanted now, and was not: it is seen where it belongs if that is in memory.
    for (const rows of this.#pages.values()) {
      const [newest, oldest] = [rows[0], rows.at(-1)];
      if (newest && oldest && newer(newest, row) && newer(row, oldest)) {
        this.#insert(rows, row);
        return true;
      }
    }
    return false;
  }

  #insert(rows: RunRow[], row: RunRow): void {
    const at = rows.findIndex((each) => newer(row, each));
    rows.splice(at < 0 ? rows.length : at, 0, row);
  }

  #want(page: number): void {
    if (page < 0 || this.loading || this.#pages.has(page) || this.#reading.has(page) || page > this.#sizes.length) return;
    const cursor = page === 0 ? "" : this.#ends[page - 1];
    if (cursor === undefined || (page === this.#sizes.length && !this.#open)) return;
    this.#reading.add(page);
    const stop = this.#stop;
    const most = PAGE + (page === 0 ? this.#head.length + this.#held.size : 0);
    void this.#page(cursor, this.#ends[page] ?? null, most, stop.signal).then(
      ([runs, next]) => {
        if (stop.signal.aborted) return;
        this.#reading.delete(page);
        const base = this.#base;
        // What is new is before the first page.
        this.#pages.set(page, base && page === 0 ? runs.filter((each) => !newer(each, base)) : runs);
        if (page === this.#sizes.length) {
          this.#open = next !== null;
          this.#sizes.push(runs.length);
          if (next !== null) this.#ends.push(next);
        }
        this.#count();
        this.#forget();
        this.changed();
      },
      (error: unknown) => {
        if (stop.signal.aborted) return;
        this.#reading.delete(page);
        this.failed(error);
      },
    );
  }

  /** A page, up to the run that it ends with if that is known; and what comes after it. */
  async #page(cursor: string, end: string | null, most: number, signal: AbortSignal): Promise<[RunRow[], string | null]> {
    const found: RunRow[] = [];
    let next: string | null = cursor;
    const first = cursor === "" && end === null;
    do {
      const page = await this.source.page(next ?? "", signal);
      next = page.next;
      found.push(...page.runs);
      const last = end === null ? -1 : found.findIndex((row) => row.run === end);
      if (last >= 0) return [found.slice(0, last + 1), end];
      // Rare ones are looked for in steps: a short page with more behind it is no end.
    } while (next !== null && found.length < most && !(first && found.length > 0));
    return [found, next];
  }

  #forget(): void {
    const middle = (this.#span[0] + this.#span[1]) / 2;
    const far = [...this.#pages.keys()].sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle));
    for (const page of far.slice(0, Math.max(0, far.length - KEPT))) this.#pages.delete(page);
  }

  #count(): void {
    for (const [page, rows] of this.#pages) this.#sizes[page] = rows.length;
    this.#starts = [0];
    for (const size of this.#sizes) this.#starts.push((this.#starts.at(-1) ?? 0) + size);
  }

  #pageAt(place: number): number {
    let [low, high] = [0, this.#sizes.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= place) low = middle;
      else high = middle - 1;
    }
    return Math.max(low, 0);
  }
}
