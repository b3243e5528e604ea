// What of an answer that grows is worth saying aloud: whole sentences only. Pure.

/** The sentences that are complete behind `from` characters of the text, and where they end. */
export function sentencesIn(blocks: readonly string[], from: number, locale: string): { text: string; end: number } {
  const text = textOf(blocks).slice(from);
  let end = 0;
  for (const { segment, index } of new Intl.Segmenter(locale, { granularity: "sentence" }).segment(text)) {
    if (/[.!?。！？…\n]["”』」)]?\s*$/.test(segment)) end = index + segment.length;
  }
  return { text: text.slice(0, end).trim(), end: from + end };
}

function textOf(blocks: readonly string[]): string {
  return blocks.map((block) => new DOMParser().parseFromString(block, "text/html").body.textContent).join("\n");
}
