// What terminals make of a line, as pieces of text with a class each. Nothing becomes markup, and nothing is hidden.

import { told } from "./told";

export interface Piece {
  text: string;
  style: string;
}

const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const SEQUENCE = /\u001b(?:\[([0-9;:?]*)[ -/]*([@-~])|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\^_])/g;

export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  const style = { colour: "", bold: false, dim: false, italic: false, underline: false };
  const named = (): string =>
    [style.colour && `ansi-${style.colour}`, style.bold && "ansi-bold", style.dim && "ansi-dim", style.italic && "ansi-italic", style.underline && "ansi-underline"]
      .filter(Boolean)
      .join(" ");
  let at = 0;
  for (const match of text.matchAll(SEQUENCE)) {
    if (match.index > at) found.push({ text: told(text.slice(at, match.index)), style: named() });
    at = match.index + match[0].length;
    if (match[2] !== "m") continue;
    const codes = (match[1] || "0").split(/[;:]/).map(Number);
    for (let place = 0; place < codes.length; place++) {
      const code = codes[place] ?? 0;
      if (code === 0) Object.assign(style, { colour: "", bold: false, dim: false, italic: false, underline: false });
      else if (code === 1) style.bold = true;
      else if (code === 2) style.dim = true;
      else if (code === 3) style.italic = true;
      else if (code === 4) style.underline = true;
      else if (code === 22) style.bold = style.dim = false;
      else if (code === 23) style.italic = false;
      else if (code === 24) style.underline = false;
      else if (code === 39) style.colour = "";
      else if (code >= 30 && code <= 37) style.colour = COLOURS[code - 30] ?? "";
      else if (code >= 90 && code <= 97) style.colour = COLOURS[code - 90] ?? "";
      else if (code === 38 || code === 48) {
        // One of 256 colours, or of all: what follows are its numbers, whatever they would mean by themselves.
        const number = codes[place + 1] === 5 ? (codes[place + 2] ?? 16) : 16;
        if (code === 38) style.colour = number < 16 ? (COLOURS[number % 8] ?? "") : "";
        place += codes[place + 1] === 5 ? 2 : 4;
      }
    }
  }
  if (at < text.length) found.push({ text: told(text.slice(at)), style: named() });
  return found;
}

/** What is left of a line that was drawn over, by carriage returns. */
export function settled(text: string): string {
  const line = text.replace(/\r+$/, "");
  return line.slice(line.lastIndexOf("\r") + 1);
}

export interface Part extends Piece {
  hit: boolean;
}

/** Pieces cut where `wanted` is in them; one that goes over several pieces is not marked. */
export function marked(all: Piece[], wanted: string, exact: boolean): Part[] {
  if (!wanted) return all.map((piece) => ({ ...piece, hit: false }));
  const sought = exact ? wanted : wanted.toLowerCase();
  const found: Part[] = [];
  for (const { text, style } of all) {
    const inside = exact ? text : text.toLowerCase();
    // Letters that change their length with their case cannot be cut by place.
    if (inside.length !== text.length) {
      found.push({ text, style, hit: inside.includes(sought) });
      continue;
    }
    let at = 0;
    for (let hit = inside.indexOf(sought); hit >= 0 && found.length < 1000; hit = inside.indexOf(sought, at)) {
      if (hit > at) found.push({ text: text.slice(at, hit), style, hit: false });
      at = hit + sought.length;
      found.push({ text: text.slice(hit, at), style, hit: true });
    }
    if (at < text.length) found.push({ text: text.slice(at), style, hit: false });
  }
  return found;
}
