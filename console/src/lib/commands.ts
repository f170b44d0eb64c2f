// What the page that is shown can do, for the palette of commands.

import type { Phase } from "./api";

export interface Command {
  id: string;
  group: string;
  text: string;
  /** What stands behind it, quieter. */
  note?: string;
  phase?: Phase;
  run: () => void;
}

/** Of what was typed, those commands that the page knows: `""` asks for what to show before anything was typed. */
type Offer = (text: string) => Command[];

const offers = new Set<Offer>();

/** The page offers commands until the returned function is called. */
export function offer(each: Offer): () => void {
  offers.add(each);
  return () => offers.delete(each);
}

export function offered(text: string): Command[] {
  return [...offers].flatMap((each) => each(text));
}

/** Whether `text` has all words of `wanted`, and how well: lower is better, `-1` is not at all. */
export function fits(text: string, wanted: string): number {
  const said = text.toLowerCase();
  let worth = 0;
  for (const word of wanted.toLowerCase().split(/\s+/)) {
    const at = said.indexOf(word);
    if (at < 0) return -1;
    // A word's beginning is better than its middle.
    worth += at === 0 || /[^a-z0-9]/.test(said[at - 1] ?? "") ? 0 : 1;
  }
  return worth;
}
