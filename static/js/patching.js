// Text grows in place: what stays is the same node, so that a selection in it stays, too.

/**
 * Makes what begins at `old` look like `next`; tells which node stands for which.
 * @param {Node} parent
 * @param {ChildNode | null} old
 * @param {readonly ChildNode[]} next
 * @returns {Map<ChildNode, ChildNode>}
 */
export function patchAll(parent, old, next) {
  const kept = new Map();
  for (const node of next) {
    const after = old?.nextSibling ?? null;
    if (old && patch(old, node)) kept.set(node, old);
    else {
      parent.insertBefore(node, old);
      kept.set(node, node);
      old?.remove();
    }
    old = after;
  }
  while (old) {
    const after = old.nextSibling;
    old.remove();
    old = after;
  }
  return kept;
}

function patch(old, node) {
  if (old.nodeType !== node.nodeType || old.nodeName !== node.nodeName) return false;
  if (old.nodeType === Node.ELEMENT_NODE) {
    for (const { name } of [...old.attributes]) {
      // What a reader has opened stays open.
      if (name !== "open" && !node.hasAttribute(name)) old.removeAttribute(name);
    }
    for (const { name, value } of node.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    patchAll(old, old.firstChild, [...node.childNodes]);
  } else if (old.data !== node.data) {
    let same = 0;
    while (same < old.length && old.data[same] === node.data[same]) same += 1;
    old.replaceData(same, old.length - same, node.data.slice(same));
  }
  return true;
}
