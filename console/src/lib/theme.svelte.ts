// Light or dark: what the machine prefers, until somebody says otherwise.

type Theme = "light" | "dark";
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

  toggle(): void {
    this.#chosen = this.current === "dark" ? "light" : "dark";
    localStorage.setItem(KEY, this.#chosen);
  }
}

export const themes = new Themes();
