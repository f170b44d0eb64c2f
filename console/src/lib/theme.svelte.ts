// Light or dark: what the machine prefers, until somebody says otherwise.

export type Theme = "light" | "dark";
const KEY = "whimbrel.theme";

function preferred(): Theme {
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

class Themes {
  #chosen = $state<Theme | null>(null);
  #preferred = $state<Theme>(preferred());

  constructor() {
    const kept = localStorage.getItem(KEY);
    if (kept === "light" || kept === "dark") this.#chosen = kept;
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (this.#preferred = preferred()));
  }

  get current(): Theme {
    return this.#chosen ?? this.#preferred;
  }

  /** What was said, and not what follows from the machine. */
  get chosen(): Theme | null {
    return this.#chosen;
  }

  /** What `turn` would choose; `null` is the machine's. */
  get next(): Theme | null {
    const other = this.#preferred === "dark" ? "light" : "dark";
    return this.#chosen === null ? other : this.#chosen === other ? this.#preferred : null;
  }

  turn(): void {
    this.#chosen = this.next;
    if (this.#chosen === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, this.#chosen);
  }
}

export const themes = new Themes();
