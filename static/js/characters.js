// How long a text is, as the server counts it: for pages and application.

/**
 * Characters, not JavaScript's units, of which many a one takes two.
 * @param {string} text
 */
export function characters(text) {
  return text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);
}

/**
 * Counted only where it can be too long.
 * @param {string} text
 * @param {number} most
 * @param {string} sentence with places for {count}, {most} and {over}
 * @param {string} language
 * @returns {string} the sentence filled in; nothing for a text that is not too long
 */
export function excess(text, most, sentence, language) {
  const count = text.length > most ? characters(text) : 0;
  if (count <= most) return "";
  /** @type {Record<string, number>} */
  const values = { count, most, over: count - most };
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name].toLocaleString(language));
}
