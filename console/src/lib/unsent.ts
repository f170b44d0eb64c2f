// What was typed and not sent yet: it outlives a login, and a page that is loaded again. Kept in this tab, until it is sent or given up.

const PREFIX = "whimbrel.unsent ";

function key(what: string): string {
  return `${PREFIX}${what} ${location.pathname}`;
}

export function unsent<T>(what: string): T | null {
  const kept = sessionStorage.getItem(key(what));
  return kept === null ? null : (JSON.parse(kept) as T);
}

export function keepUnsent(what: string, typed: unknown): void {
  try {
    sessionStorage.setItem(key(what), JSON.stringify(typed));
  } catch {
    // More than a tab may keep: then it is not kept.
  }
}

export function forget(what: string): void {
  sessionStorage.removeItem(key(what));
}
