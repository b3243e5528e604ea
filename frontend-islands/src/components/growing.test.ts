import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blocksOf, grow, type Grown } from "./growing";

const BLOCKS = ["<p>One</p>\n", "<p>Two <em>and</em> a half</p>\n", "<ul><li>a</li></ul>\n", "", "text\n", "<pre><code>x</code></pre>\n"];

describe("the blocks of a whole", () => {
  it("are those before it as far as they are its beginning, and the rest", () => {
    expect(blocksOf("<p>a</p><p>b</p>", ["<p>a</p>"])).toEqual(["<p>a</p>", "<p>b</p>"]);
    expect(blocksOf("<p>a</p><p>b</p>", ["<p>a</p>", "<p>c</p>"])).toEqual(["<p>a</p>", "<p>b</p>"]);
    expect(blocksOf("<p>a</p>", ["<p>a</p>"])).toEqual(["<p>a</p>"]);
    expect(blocksOf("<p>a</p>", [])).toEqual(["<p>a</p>"]);
    expect(blocksOf("", ["<p>a</p>"])).toEqual([]);
  });
});

describe("growing", () => {
  it("ends in the same markup, whatever was shown before", () => {
    const answers = fc.array(fc.constantFrom(...BLOCKS), { maxLength: 6 });
    fc.assert(
      fc.property(fc.array(answers, { minLength: 1 }), (updates) => {
        const root = document.createElement("div");
        let shown: Grown = [];
        for (const blocks of updates) shown = grow(root, shown, blocks);
        expect(root.innerHTML).toBe(updates.at(-1)!.join(""));
      }),
    );
  });

  it("leaves what did not change to whoever has put something into it", () => {
    const root = document.createElement("div");
    let shown = grow(root, [], ["<p>One</p>", "<p>Tw"]);
    const [first, second] = root.children;
    first!.append("mark");
    const text = second!.firstChild;
    shown = grow(root, shown, ["<p>One</p>", "<p>Two</p>", "<p>Three</p>"]);
    expect([...root.children].slice(0, 2)).toEqual([first, second]);
    expect(root.textContent).toBe("OnemarkTwoThree");
    expect(root.children[1]!.firstChild).toBe(text);
    grow(root, shown, []);
    expect(root.childNodes).toHaveLength(0);
  });
});
