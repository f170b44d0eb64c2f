// Two texts, line by line: what stayed, what went, what came.

export interface Line {
  kind: "same" | "gone" | "new";
  text: string;
  /** Their numbers, from 1; 0 where it is not. */
  left: number;
  right: number;
}

/** Differences beyond which the rest counts as changed: what is so unlike is read as two texts anyway. */
const FAR = 2_000;

/** The shortest way from one list to the other (Myers 1986), as pairs of indices that stay. */
function stays(a: readonly string[], b: readonly string[]): [number, number][] {
  const most = Math.min(a.length + b.length, FAR);
  const reach = new Map<number, number>([[1, 0]]);
  const trail: Map<number, number>[] = [];
  for (let steps = 0; steps <= most; steps++) {
    trail.push(new Map(reach));
    for (let k = -steps; k <= steps; k += 2) {
      const down = k === -steps || (k !== steps && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
      let x = down ? (reach.get(k + 1) ?? 0) : (reach.get(k - 1) ?? 0) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reach.set(k, x);
      if (x >= a.length && x - k >= b.length) return back(trail, a.length, b.length);
    }
  }
  return [];
}

function back(trail: Map<number, number>[], x: number, y: number): [number, number][] {
  const found: [number, number][] = [];
  for (let steps = trail.length - 1; steps >= 0; steps--) {
    const reach = trail[steps] as Map<number, number>;
    const k = x - y;
    const down = k === -steps || (k !== steps && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
    const from = down ? k + 1 : k - 1;
    const begin = reach.get(from) ?? 0;
    while (x > begin && y > begin - from && x > 0 && y > 0) found.push([--x, --y]);
    x = begin;
    y = begin - from;
  }
  return found.reverse();
}

export function diff(left: string, right: string): Line[] {
  const a = left.split("\n");
  const b = right.split("\n");
  const lines: Line[] = [];
  let x = 0;
  let y = 0;
  const until = (i: number, j: number): void => {
    for (; x < i; x++) lines.push({ kind: "gone", text: a[x] ?? "", left: x + 1, right: 0 });
    for (; y < j; y++) lines.push({ kind: "new", text: b[y] ?? "", left: 0, right: y + 1 });
  };
  for (const [i, j] of stays(a, b)) {
    until(i, j);
    lines.push({ kind: "same", text: a[x] ?? "", left: ++x, right: ++y });
  }
  until(a.length, b.length);
  return lines;
}

/** Lines that changed with some around them; a number stands for as many that stayed. */
export function hunks(lines: readonly Line[], around = 3): (Line | number)[] {
  const near = new Uint8Array(lines.length);
  lines.forEach((line, at) => {
    if (line.kind !== "same") near.fill(1, Math.max(0, at - around), at + around + 1);
  });
  const found: (Line | number)[] = [];
  lines.forEach((line, at) => {
    const last = found.at(-1);
    if (near[at]) found.push(line);
    else if (typeof last === "number") found[found.length - 1] = last + 1;
    else found.push(1);
  });
  return found;
}

export interface Pair {
  left: Line | null;
  right: Line | null;
}

/** The same side by side: what went stands beside what came. */
export function paired(lines: readonly (Line | number)[]): (Pair | number)[] {
  const found: (Pair | number)[] = [];
  let gone: Line[] = [];
  let come: Line[] = [];
  const flush = (): void => {
    for (let at = 0; at < Math.max(gone.length, come.length); at++) found.push({ left: gone[at] ?? null, right: come[at] ?? null });
    gone = [];
    come = [];
  };
  for (const line of lines) {
    if (typeof line !== "number" && line.kind === "gone") gone.push(line);
    else if (typeof line !== "number" && line.kind === "new") come.push(line);
    else {
      flush();
      found.push(typeof line === "number" ? line : { left: line, right: line });
    }
  }
  flush();
  return found;
}
