// Markup that grows: what an update leaves as it was stays the same node, with what is selected, opened or drawn in it.
import { patchAll } from "@pages/patching.js";

interface Shown {
  html: string;
  nodes: readonly ChildNode[];
}

export type Grown = readonly Shown[];

/** Blocks of `before` as far as they are the beginning of the whole, and what comes after them. */
export function blocksOf(whole: string, before: readonly string[]): string[] {
  const blocks: string[] = [];
  let at = 0;
  for (const block of before) {
    if (!whole.startsWith(block, at)) break;
    blocks.push(block);
    at += block.length;
  }
  return at < whole.length ? [...blocks, whole.slice(at)] : blocks;
}

/** Makes `root`, which holds what is shown and nothing else, hold these blocks. */
export function grow(root: HTMLElement, shown: Grown, blocks: readonly string[]): Grown {
  let same = 0;
  while (same < shown.length && shown[same]!.html === blocks[same]) same++;
  const old = shown.slice(same).flatMap(({ nodes }) => nodes)[0] ?? null;
  const made = blocks.slice(same).map((html) => ({ html, nodes: nodesOf(html) }));
  const kept = patchAll(root, old, made.flatMap(({ nodes }) => nodes));
  return [...shown.slice(0, same), ...made.map(({ html, nodes }) => ({ html, nodes: nodes.map((node) => kept.get(node)!) }))];
}

function nodesOf(html: string): ChildNode[] {
  const template = document.createElement("template");
  template.innerHTML = html;
  return [...template.content.childNodes];
}
