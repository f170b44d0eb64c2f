// What authors wrote, made fit to be read: signs that turn a text around or cannot be seen become signs that can.

const NAMES: Record<string, string> = {
  "\u061c": "ALM", "\u200b": "ZWSP", "\u200e": "LRM", "\u200f": "RLM", "\u2028": "LS", "\u2029": "PS", "\u202a": "LRE", "\u202b": "RLE", "\u202c": "PDF",
  "\u202d": "LRO", "\u202e": "RLO", "\u2060": "WJ", "\u2066": "LRI", "\u2067": "RLI", "\u2068": "FSI", "\u2069": "PDI", "\ufeff": "BOM",
};

// Joiners (U+200C, U+200D) stay: scripts and emoji need them. So do tabs and ends of lines.
const UNSEEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/;
const EACH = new RegExp(UNSEEN.source, "g");

/** `text` with what cannot be seen said: a right-to-left override becomes ⟨RLO⟩, an escape ␛. */
export function told(text: string): string {
  return UNSEEN.test(text) ? text.replace(EACH, (sign) => NAMES[sign] ? `⟨${NAMES[sign]}⟩` : seen(sign.charCodeAt(0))) : text;
}

function seen(code: number): string {
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? "␡" : `⟨${code.toString(16)}⟩`;
}

/** The same on one line. */
export function line(text: string): string {
  return told(text).replace(/\s*[\r\n]+\s*/g, " ⏎ ");
}

/** A dotted name in two: where it is from, and what it is called. */
export function parted(name: string): [string, string] {
  const said = line(name);
  const dot = said.lastIndexOf(".");
  return dot < 0 || dot === said.length - 1 ? ["", said] : [said.slice(0, dot + 1), said.slice(dot + 1)];
}

/** Everything that is written below `root` is told so from now on, whoever writes it, until the returned function is called. What is filled in stays as it is. */
export function keepTold(root: Node): () => void {
  const mend = (node: Node): void => {
    const text = node as Text;
    if (UNSEEN.test(text.data)) text.data = told(text.data);
  };
  const watch = new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "characterData") mend(change.target);
      for (const added of change.addedNodes) {
        if (added.nodeType === Node.TEXT_NODE) mend(added);
        else if (added.nodeType === Node.ELEMENT_NODE) {
          const walker = document.createTreeWalker(added, NodeFilter.SHOW_TEXT);
          for (let node = walker.nextNode(); node; node = walker.nextNode()) if (node.parentElement?.tagName !== "TEXTAREA") mend(node);
        }
      }
    }
  });
  watch.observe(root, { childList: true, characterData: true, subtree: true });
  return () => watch.disconnect();
}
