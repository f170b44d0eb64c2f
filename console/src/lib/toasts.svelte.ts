// What was done, said once and then gone: a line at the edge of the page, which readers of the screen hear.

export interface Toast {
  id: number;
  text: string;
  link: { text: string; href: string } | null;
  ink: "good" | "bad" | "run";
}

/** Milliseconds that one stays: long enough to read a line and to reach for its link. */
const STAYS = 7_000;
const MOST = 3;

class Toasts {
  all = $state.raw<Toast[]>([]);
  #next = 0;

  say(text: string, link: Toast["link"] = null, ink: Toast["ink"] = "good"): void {
    const toast = { id: this.#next++, text, link, ink };
    this.all = [...this.all.slice(1 - MOST), toast];
    this.leaveSoon(toast.id);
  }

  leaveSoon(id: number): void {
    setTimeout(() => {
      // What is pointed at or focused stays until it is not.
      if (document.querySelector(`#toast-${id}:is(:hover, :focus-within)`)) this.leaveSoon(id);
      else this.leave(id);
    }, STAYS);
  }

  leave(id: number): void {
    this.all = this.all.filter((each) => each.id !== id);
  }
}

export const toasts = new Toasts();

export function say(text: string, link: Toast["link"] = null, ink: Toast["ink"] = "good"): void {
  toasts.say(text, link, ink);
}
