// Python as it is read: strings, comments, words. Enough to look at; nothing is understood.

export type Piece = [style: "" | "word" | "text" | "note" | "number" | "name" | "sign", text: string];

const SIGNS = /([rbfuRBFU]{0,2}(?:"""[\s\S]*?(?:"""|(?![\s\S]))|'''[\s\S]*?(?:'''|(?![\s\S]))|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))|(#[^\n]*)|(^[ \t]*@[\w.]+)|\b(\d[\w.]*)\b|\b((?:def|class)\s+)(\w+)|\b(and|as|assert|async|await|break|case|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|match|nonlocal|not|or|pass|raise|return|try|while|with|yield|None|True|False)\b/gm;

/** The lines of a text, each in its pieces. */
export function python(source: string): Piece[][] {
  const lines: Piece[][] = [[]];
  const put = (style: Piece[0], text: string): void => {
    text.split("\n").forEach((part, at) => {
      if (at) lines.push([]);
      if (part) lines.at(-1)?.push([style, part]);
    });
  };
  let last = 0;
  for (const found of source.matchAll(SIGNS)) {
    put("", source.slice(last, found.index));
    const [all, text, note, sign, number, begins, name] = found;
    if (begins !== undefined && name !== undefined) {
      put("word", begins);
      put("name", name);
    } else put(text !== undefined ? "text" : note !== undefined ? "note" : sign !== undefined ? "sign" : number !== undefined ? "number" : "word", all);
    last = found.index + all.length;
  }
  put("", source.slice(last));
  return lines;
}

/** The text of one function with what stands above it (`@task`, …), by its name; "" where there is none. */
export function body(source: string, name: string): string {
  const lines = source.split("\n");
  const begins = new RegExp(`^(\\s*)(?:async\\s+)?def\\s+${name.replace(/[^\w]/g, "")}\\b`);
  const at = lines.findIndex((line) => begins.test(line));
  if (at < 0) return "";
  const indent = (lines[at] ?? "").search(/\S/);
  let first = at;
  while (first > 0 && /\S/.test(lines[first - 1] ?? "") && ((lines[first - 1] ?? "").search(/\S/) > indent || /^\s*[@)#]/.test(lines[first - 1] ?? ""))) first--;
  let last = at + 1;
  // Its head may go over several lines: what is closed at the margin belongs to it.
  while (last < lines.length && (!(lines[last] ?? "").trim() || (lines[last] ?? "").search(/\S/) > indent || /^\s*\)/.test(lines[last] ?? ""))) last++;
  return lines.slice(first, last).join("\n").trimEnd();
}
