// Inks as canvases need them: asked of the style sheet once for each theme, as asking makes the browser lay out all anew.

import { themes } from "./theme.svelte";

const found = new Map<string, string>();
let theme = "";

/** The value of a variable of the style sheet, such as `--bad-fill`; whatever asks is drawn again in another theme. */
export function colourOf(name: string): string {
  if (themes.current !== theme) {
    theme = themes.current;
    // What is inside the page is drawn before the page itself takes the theme on.
    document.documentElement.dataset.theme = theme;
    found.clear();
  }
  let colour = found.get(name);
  if (colour === undefined) found.set(name, (colour = getComputedStyle(document.documentElement).getPropertyValue(name)));
  return colour;
}
