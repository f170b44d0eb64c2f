import { expect, it } from "vitest";
import { meant } from "./links";

const P = "/console/projects/shop";

it.each([
  [`${P}/executions?domain=production&duration=all`, "/console?project=shop&domain=production"],
  [`${P}/domains/production/executions`, "/console?project=shop&domain=production"],
  [P, "/console?project=shop"],
  [`${P}/workflows?domain=production`, `${P}/domains/production/workflows`],
  [`${P}/launchPlans?domain=production`, `${P}/domains/production/launch-plans`],
  [`${P}/domains/production/launchPlans/nightly`, `${P}/domains/production/launch-plans/nightly`],
  [`${P}/domains/production/workflows/a.b.wf/versions/v%2F1`, `${P}/domains/production/workflows/a.b.wf/version/v%2F1`],
  [`${P}/domains/production/launchPlans/nightly/versions/v1`, `${P}/domains/production/launch-plans/nightly/version/v1`],
])("%s is %s", (theirs, ours) => {
  const url = new URL(theirs, "http://localhost");
  expect(meant(url.pathname, url.searchParams)).toBe(ours);
  const again = new URL(ours, "http://localhost");
  expect(meant(again.pathname, again.searchParams)).toBe(null);
});

it.each(["/console", "/console/runs/r1", `${P}/domains/production/executions/e1`, `${P}/domains/production/executions/e1/nodes/n0`, `${P}/domains/production/workflow/wf/version/v1`, `${P}/domains/production/tasks`, `${P}/elsewhere`, `${P}/workflows`, "/elsewhere/projects/shop"])("%s is left as it is", (path) => {
  expect(meant(path, new URLSearchParams())).toBe(null);
});
