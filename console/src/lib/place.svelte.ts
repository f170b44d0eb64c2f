// Which project and domain somebody looks at: what the address says, and otherwise where they were last.

import { address, get } from "./api";

export interface Place {
  project: string;
  domain: string;
}

export interface Project {
  id: string;
  name: string;
  domains: string[];
}

const KEY = "whimbrel.place";
const FIRST: Place = { project: "flytesnacks", domain: "development" };

class Places {
  current = $state.raw<Place>(FIRST);
  all = $state.raw<Project[]>([]);
  #asked = false;

  constructor() {
    const [project, domain] = (localStorage.getItem(KEY) ?? "").split("/");
    if (project && domain) this.current = { project: decodeURIComponent(project), domain: decodeURIComponent(domain) };
  }

  at(place: Place): void {
    if (place.project === this.current.project && place.domain === this.current.domain) return;
    this.current = place;
    localStorage.setItem(KEY, `${encodeURIComponent(place.project)}/${encodeURIComponent(place.domain)}`);
  }

  /** Ask which there are, once. */
  async learn(): Promise<void> {
    if (this.#asked) return;
    this.#asked = true;
    try {
      this.all = await get<Project[]>(address("/projects"));
    } catch {
      this.#asked = false; // Whoever lists what is in it says what is wrong; the next who asks tries again.
    }
  }
}

export const places = new Places();
