// Who looks, and what they may do: what they may not is not offered. The server decides; this only says so before.

import { address, get } from "./api";

export type Action = "read" | "launch" | "answer" | "register" | "admin";

interface Me {
  principal: string;
  name: string;
  email: string;
  allowed: { project: string; domain: string; actions: Action[] }[];
}

const VERBS: Record<Action, string> = { read: "look", launch: "launch runs", answer: "end runs or answer gates", register: "register code, or activate it", admin: "administer" };

class Who {
  #me = $state.raw<Me | null>(null);

  /** Ask anew: after a login, and when the console is opened. */
  async ask(): Promise<void> {
    try {
      this.#me = await get<Me>(address("/me"));
    } catch {
      this.#me = null; // nothing is kept from anybody here: the server refuses what it must
    }
  }

  get name(): string {
    return this.#me?.email || this.#me?.name || "";
  }

  /** Why somebody may not do that there, "" if they may. What is in no place is of those who may everywhere. */
  denied(action: Action, place: { project: string; domain: string }): string {
    if (!this.#me) return "";
    const covers = (of: string, one: string): boolean => of === "*" || of === one;
    if (this.#me.allowed.some((each) => covers(each.project, place.project) && covers(each.domain, place.domain) && each.actions.includes(action))) return "";
    return `${this.name || "You"} may not ${VERBS[action]} ${place.project ? `in ${place.project}/${place.domain}` : "of no project"}: that takes another role.`;
  }
}

export const me = new Who();
