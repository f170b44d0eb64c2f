// Who is looking, where the server wants to know: a code for a token, with a proof that only this page has (RFC 7636). The code comes from
// the server's own page, or from that of the issuer that it trusts: the page does the same with both, and has no secret.

import { HOME, router } from "./router.svelte";

const KEPT = "whimbrel.login";
const ASKED = "whimbrel.asked";
/** Seconds before its end at which a token is not used any more. */
const EARLY = 30;

interface Kept {
  access: string;
  refresh: string;
  until: number;
}

interface Asked {
  verifier: string;
  state: string;
  back: string;
}

/** Where to log in: at the server itself, or at the issuer that it trusts. */
interface Resource {
  whimbrel_own_issuer: boolean;
  whimbrel_client_id: string;
  whimbrel_scopes: string[];
  whimbrel_audience: string;
  whimbrel_authorization_endpoint: string;
  whimbrel_token_endpoint: string;
  whimbrel_revocation_endpoint: string;
  authorization_servers: string[];
}

function text(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function random(): string {
  return text(crypto.getRandomValues(new Uint8Array(48)));
}

class Login {
  /** Whether somebody must log in before there is anything to see. */
  needed = $state(false);
  problem = $state("");
  /** Whether there is somebody. */
  known = $state(false);
  /** Whether there was somebody, whose login is over: what is shown stays. */
  ended = $state(false);
  #kept: Kept | null = null;
  #refreshing: Promise<boolean> | null = null;

  constructor() {
    const kept = sessionStorage.getItem(KEPT);
    if (kept) this.#keep(JSON.parse(kept) as Kept);
  }

  #keep(kept: Kept | null): void {
    this.#kept = kept;
    this.known = kept !== null;
    if (kept) sessionStorage.setItem(KEPT, JSON.stringify(kept));
    else sessionStorage.removeItem(KEPT);
  }

  headers(): Record<string, string> {
    return this.#kept ? { authorization: `Bearer ${this.#kept.access}` } : {};
  }

  /** After a refusal: whether there is another token now. */
  refreshed(): Promise<boolean> {
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  async #refresh(): Promise<boolean> {
    const refresh = this.#kept?.refresh;
    if (refresh) {
      try {
        await this.#token({ grant_type: "refresh_token", refresh_token: refresh });
        return true;
      } catch (error) {
        // The server may only be away: then the login is as good as it was.
        if (error instanceof TypeError) return false;
      }
    }
    if (this.#kept) this.ended = true;
    else if (!this.ended) this.needed = true;
    this.#keep(null);
    return false;
  }

  async #resource(): Promise<Resource> {
    const response = await fetch("/.well-known/oauth-protected-resource");
    if (!response.ok) throw new Error("the server does not say where to log in");
    const found = (await response.json()) as Resource;
    if (!found.whimbrel_token_endpoint) throw new Error(`${found.authorization_servers[0] ?? "The issuer"} does not say where to log in. Try again soon, or use the command line.`);
    if (!found.whimbrel_client_id) throw new Error("The server was started without --oidc-client, which is who the console is to its issuer. Use the command line, or REST.");
    // The server's own pages are where this one is from, whatever name it has here.
    if (found.whimbrel_own_issuer) for (const name of ["whimbrel_authorization_endpoint", "whimbrel_token_endpoint", "whimbrel_revocation_endpoint"] as const) found[name] = location.origin + new URL(found[name]).pathname;
    return found;
  }

  async #token(form: Record<string, string>): Promise<void> {
    const resource = await this.#resource();
    const response = await fetch(resource.whimbrel_token_endpoint, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ ...form, client_id: resource.whimbrel_client_id }),
    });
    const said = (await response.json()) as Record<string, unknown>;
    if (!response.ok) throw new Error(String(said.error_description ?? said.error ?? response.status));
    this.#keep({
      access: String(said.access_token),
      refresh: String(said.refresh_token ?? ""),
      until: Date.now() / 1000 + Number(said.expires_in ?? 0) - EARLY,
    });
    this.needed = this.ended = false;
    this.problem = "";
  }

  /** Go to the page that asks for a name and a password. */
  async begin(): Promise<void> {
    try {
      const resource = await this.#resource();
      const asked: Asked = { verifier: random(), state: random(), back: location.pathname + location.search };
      if (asked.back.startsWith(`${HOME}/login`)) asked.back = HOME;
      sessionStorage.setItem(ASKED, JSON.stringify(asked));
      const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(asked.verifier));
      const query = new URLSearchParams({
        response_type: "code",
        client_id: resource.whimbrel_client_id,
        redirect_uri: `${location.origin}${HOME}/login`,
        scope: resource.whimbrel_scopes.join(" "),
        state: asked.state,
        code_challenge: text(new Uint8Array(digest)),
        code_challenge_method: "S256",
      });
      if (resource.whimbrel_audience) query.set("audience", resource.whimbrel_audience);
      // Without it no issuer gives what a login is taken up again with (OpenID Connect, 11).
      if (resource.whimbrel_scopes.includes("offline_access")) query.set("prompt", "consent");
      const there = new URL(resource.whimbrel_authorization_endpoint);
      for (const [name, value] of query) there.searchParams.set(name, value);
      location.assign(there);
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
  }

  /** Back from there, with a code or a refusal. */
  async finish(query: URLSearchParams): Promise<void> {
    const kept = sessionStorage.getItem(ASKED);
    sessionStorage.removeItem(ASKED);
    const asked = kept ? (JSON.parse(kept) as Asked) : null;
    const code = query.get("code");
    this.needed = true;
    if (!asked || query.get("state") !== asked.state || !code) {
      this.problem = query.get("error_description") ?? "That login was not begun here, or is over. Once more, please.";
      router.go(asked?.back ?? HOME, true);
      return;
    }
    try {
      // Whoever answers is who was asked (RFC 9207).
      const resource = await this.#resource();
      const said = query.get("iss");
      if (said !== null && !resource.whimbrel_own_issuer && said !== resource.authorization_servers[0]) throw new Error("That answer is of another issuer. Once more, please.");
      await this.#token({ grant_type: "authorization_code", code, code_verifier: asked.verifier, redirect_uri: `${location.origin}${HOME}/login` });
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
    router.go(asked.back, true);
  }

  /** End it, here and at the server. */
  async leave(): Promise<void> {
    const kept = this.#kept;
    this.#keep(null);
    if (kept) {
      try {
        const resource = await this.#resource();
        const form = { token: kept.refresh || kept.access, client_id: resource.whimbrel_client_id };
        if (resource.whimbrel_revocation_endpoint) await fetch(resource.whimbrel_revocation_endpoint, { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: new URLSearchParams(form) });
      } catch {
        // Here it is over in any case; there it ends by itself.
      }
    }
    location.assign(HOME);
  }
}

export const login = new Login();
