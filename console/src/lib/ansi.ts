// What terminals make of escape sequences, as pieces of text with a class each. Nothing becomes markup.

export interface Piece {
  text: string;
  style: string;
}

const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const SEQUENCE = /\u001b(?:\[([0-9;?]*)([@-~])|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\^_])/g;

export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  const style = { colour: "", bold: false, dim: false, italic: false, underline: false };
  const named = (): string =>
    [style.colour && `ansi-${style.colour}`, style.bold && "ansi-bold", style.dim && "ansi-dim", style.italic && "ansi-italic", style.underline && "ansi-underline"]
      .filter(Boolean)
      .join(" ");
  let at = 0;
  for (const match of text.matchAll(SEQUENCE)) {
    if (match.index > at) found.push({ text: text.slice(at, match.index), style: named() });
    at = match.index + match[0].length;
    if (match[2] !== "m") continue;
    for (const code of (match[1] || "0").split(";").map(Number)) {
      if (code === 0) Object.assign(style, { colour: "", bold: false, dim: false, italic: false, underline: false });
      else if (code === 1) style.bold = true;
      else if (code === 2) style.dim = true;
      else if (code === 3) style.italic = true;
      else if (code === 4) style.underline = true;
      else if (code === 22) style.bold = style.dim = false;
      else if (code === 39) style.colour = "";
      else if (code >= 30 && code <= 37) style.colour = COLOURS[code - 30] ?? "";
      else if (code >= 90 && code <= 97) style.colour = COLOURS[code - 90] ?? "";
    }
  }
  if (at < text.length) found.push({ text: text.slice(at), style: named() });
  return found;
}
