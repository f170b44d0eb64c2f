// Addresses of Flyte's own console, in old documents and messages: which of ours each means.

const HOME = "/console";
const PATHS: Record<string, string> = { workflows: "workflows", tasks: "tasks", launchPlans: "launch-plans", "launch-plans": "launch-plans", workflow: "workflows", task: "tasks", launch_plan: "launch-plans" };

/** Our address for a page of another form; `null` where it is one of ours, or of nobody's. */
export function meant(path: string, query: URLSearchParams): string | null {
  const parts = path.split("/").slice(1);
  if (parts[0] !== "console" || parts[1] !== "projects" || !parts[2]) return null;
  const project = parts[2];
  const inDomain = parts[3] === "domains";
  const domain = inDomain ? (parts[4] ?? "") : encodeURIComponent(query.get("domain") ?? "");
  const [kind = "", ...rest] = parts.slice(inDomain ? 5 : 3).filter(Boolean);
  if (kind === "" || kind === "executions") {
    // `executions/NAME` is a page of ours.
    if (rest.length > 0) return null;
    return `${HOME}?project=${project}${domain ? `&domain=${domain}` : ""}`;
  }
  const ours = PATHS[kind];
  if (ours === undefined || !domain) return null;
  const place = `${HOME}/projects/${project}/domains/${domain}`;
  if (rest.length === 0) return kind === ours && inDomain ? null : `${place}/${ours}`;
  if (rest[1] === "versions" && rest[2]) return `${place}/${ours}/${rest[0]}/version/${rest[2]}`;
  return kind === "launchPlans" || !inDomain ? `${place}/${[ours, ...rest].join("/")}` : null;
}
