// Holds the shapes that the page is written with to those of the OpenAPI document: this file compiles only if they agree.

import type * as page from "../lib/api";
import type { Shape } from "./client";

/** The fields are the same, and whatever the page expects is one of the things that the server says. */
type Agrees<Page, Server> = [Exclude<keyof Page, keyof Server>, Exclude<keyof Server, keyof Page>] extends [never, never]
  ? Page extends Server
    ? true
    : { of: { [K in keyof Page & keyof Server]: Page[K] extends Server[K] ? never : K }[keyof Page & keyof Server] }
  : { only_page: Exclude<keyof Page, keyof Server>; only_server: Exclude<keyof Server, keyof Page> };

/** The page reads what the server says, not all of it, and some of it in more detail. */
type Known<Page, Server> = [Exclude<keyof Page, keyof Server>] extends [never] ? true : { only_page: Exclude<keyof Page, keyof Server> };

export const agrees: [
  Agrees<page.RunRow, Shape["Row"]>,
  Agrees<page.RunPage, Shape["Page"]>,
  Agrees<page.WrittenLine, Shape["WrittenLine"]>,
  Agrees<page.WrittenLines, Shape["WrittenLines"]>,
  Agrees<page.FoundLines, Shape["FoundLines"]>,
  Agrees<page.NodeProgress, Shape["NodeProgress"]>,
  Agrees<page.TreeAttempt, Shape["TreeAttempt"]>,
  Agrees<page.TreeNode, Shape["TreeNode"]>,
  Agrees<page.Frame, Shape["Frame"]>,
  Agrees<page.Reason, Shape["Reason"]>,
  Agrees<page.HowItRuns, Shape["HowItRuns"]>,
  Agrees<page.CodeShape, Shape["CodeShape"]>,
  Agrees<page.FileHead, Shape["FileHead"]>,
  Known<page.About, Shape["About"]>,
  Known<page.ShownValue, Shape["ShownValue"]>,
  Known<page.ShownFailure, Shape["ShownFailure"]>,
  Known<page.ShownAttempt, Shape["ShownAttempt"]>,
  Known<page.CacheShape, Shape["CacheShape"]>,
  Known<page.GateAnswer, Shape["GateAnswer"]>,
  Known<page.TableHead, Shape["TableHead"]>,
  Known<page.Directory, Shape["Directory"]>,
  Known<page.RunDetail, Shape["Detail"]>,
] = [true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true];
