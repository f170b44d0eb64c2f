// Lines of a log by number, as far as they are kept: what was not seen for long is dropped, and fetched again.

import type { WrittenLine } from "./api";

/** Lines that are fetched at once. */
export const PAGE = 200;
/** Pages that are kept, the last seen ones. */
export const KEPT = 60;

export class LogPages {
  total = 0;
  readonly #pages = new Map<number, (WrittenLine | undefined)[]>();

  /** How many pages are kept. */
  get size(): number {
    return this.#pages.size;
  }

  get(number: number): WrittenLine | undefined {
    return this.#pages.get(Math.floor(number / PAGE))?.[number % PAGE];
  }

  put(lines: readonly WrittenLine[]): void {
    for (const line of lines) {
      const at = Math.floor(line.number / PAGE);
      let page = this.#pages.get(at);
      if (page === undefined) this.#pages.set(at, (page = []));
      page[line.number % PAGE] = line;
    }
    this.#drop();
  }

  /** The first lines of the pages of which something is missing, of `count` lines from `first` on; these are kept longest. */
  missing(first: number, count: number): number[] {
    const found: number[] = [];
    const end = Math.min(this.total, first + count);
    for (let at = Math.floor(Math.max(0, first) / PAGE); at * PAGE < end; at++) {
      const page = this.#pages.get(at);
      if (page) {
        this.#pages.delete(at);
        this.#pages.set(at, page);
      }
      for (let number = Math.max(first, at * PAGE, 0); number < Math.min(end, (at + 1) * PAGE); number++) {
        if (page?.[number % PAGE] !== undefined) continue;
        found.push(at * PAGE);
        break;
      }
    }
    return found;
  }

  clear(): void {
    this.#pages.clear();
  }

  #drop(): void {
    for (const at of this.#pages.keys()) {
      if (this.#pages.size <= KEPT) return;
      this.#pages.delete(at);
    }
  }
}

/** No browser draws boxes of any height: more than this is scrolled in larger steps. */
const HIGHEST = 8_000_000;

/** How many pixels of scrolling `total` rows of `row` pixels take. */
export function heightOf(total: number, row: number): number {
  return Math.min(total * row, HIGHEST);
}

/** The row (with a fraction) at the upper edge, scrolled by `top` in a window of `height` pixels. */
export function rowAt(top: number, total: number, row: number, height: number): number {
  if (total * row <= HIGHEST) return Math.max(0, Math.min(top / row, total));
  return (Math.min(1, Math.max(0, top / (HIGHEST - height))) * (total - height / row));
}

/** How far to scroll so that `at` (a row) is at the upper edge: the other way round. */
export function topOf(at: number, total: number, row: number, height: number): number {
  const wanted = Math.max(0, Math.min(at, total - height / row));
  if (total * row <= HIGHEST) return wanted * row;
  return (wanted / (total - height / row)) * (HIGHEST - height);
}
