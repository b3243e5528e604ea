// The search within a conversation: for what the browser's own cannot find, since the page has not loaded all of it.

const BLOCKS_OF_TEXT = "p, li, pre, td, th, h1, h2, h3, h4, h5, h6, summary, blockquote, .said, .thought";

/**
 * Where the words stand in the messages below `root`, in whatever case, also across bold words and links.
 * @param {ParentNode} root
 * @param {string} words
 * @returns {Range[]}
 */
export function found(root, words) {
  const wanted = folded(words.trim());
  const ranges = [];
  if (!wanted) return ranges;
  for (const text of root.querySelectorAll(".said, .prose, .thought")) {
    let block = null;
    let nodes = [];
    const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode;
      const around = node.parentElement;
      if (around.closest("button, .code-header, annotation, .visually-hidden")) continue;
      const own = around.closest(BLOCKS_OF_TEXT);
      if (own !== block) {
        collect(nodes, wanted, ranges);
        [block, nodes] = [own, []];
      }
      nodes.push(node);
    }
    collect(nodes, wanted, ranges);
  }
  return ranges;
}

/** Small letters, one for each: a place in it is a place in the text. */
function folded(text) {
  const small = text.toLowerCase();
  return small.length === text.length ? small : text;
}

function collect(nodes, wanted, ranges) {
  const text = folded(nodes.map((node) => node.data).join(""));
  let [at, start] = [0, 0];
  const place = (position) => {
    while (position > start + nodes[at].length) start += nodes[at++].length;
    return [nodes[at], position - start];
  };
  for (let from = text.indexOf(wanted); from >= 0; from = text.indexOf(wanted, from + wanted.length)) {
    const range = document.createRange();
    range.setStart(...place(from));
    range.setEnd(...place(from + wanted.length));
    ranges.push(range);
  }
}

/**
 * Show all places, and bring one of them into view.
 * @param {Range[]} ranges
 * @param {number} at
 */
export function markFound(ranges, at) {
  unmarkFound();
  const range = ranges[at];
  if (!range) return;
  const around = range.startContainer.parentElement;
  for (let closed = around.closest("details:not([open])"); closed; closed = around.closest("details:not([open])")) closed.open = true;
  around.scrollIntoView({ block: "center", inline: "nearest" });
  if (CSS.highlights) {
    CSS.highlights.set("found", new Highlight(...ranges));
    CSS.highlights.set("found-here", new Highlight(range));
  } else getSelection().setBaseAndExtent(range.startContainer, range.startOffset, range.endContainer, range.endOffset);
}

export function unmarkFound() {
  for (const name of ["found", "found-here"]) CSS.highlights?.delete(name);
}

/**
 * The first place that the reader has not passed yet.
 * @param {Range[]} ranges
 * @returns {number}
 */
export function nearestFound(ranges) {
  return Math.max(0, ranges.findIndex((range) => range.getBoundingClientRect().bottom > 0));
}
