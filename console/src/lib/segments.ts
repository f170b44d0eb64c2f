// Parts of the paths of eager calls, as people read them. By itself: whoever shows one does not lay out graphs.

/** `gather#2` is a gather; `chain.1` is the first task that runs `chain`. */
export function label(segment: string): string {
  const at = segment.indexOf("#");
  if (at >= 0) return segment.slice(0, at);
  const dot = segment.lastIndexOf(".");
  return dot > 0 ? `${segment.slice(0, dot)} ${segment.slice(dot + 1)}` : segment;
}
