// The reader's place in a conversation: it stays where it is while text arrives, and is found again on the way back.

const AT_END = -48; // the list is reversed: 0 is its end, and above it positions are negative
const STEP = 16;

/** The first element of that kind that is seen in the list, from its top on. */
function firstSeen(list, selector) {
  const { left, top, width, height } = list.getBoundingClientRect();
  for (let down = 1; down < height; down += STEP) {
    const found = document.elementFromPoint(left + width / 2, top + down)?.closest(selector);
    if (found && list.contains(found)) return found;
  }
  return null;
}

const topIn = (list, element) => element.getBoundingClientRect().top - list.getBoundingClientRect().top;

/**
 * @param {HTMLElement} list
 * @returns {{ id: string, top: number } | null} a message and how far it is from the list's top; null at the end
 */
export function placeOf(list) {
  const message = list.scrollTop > AT_END ? null : firstSeen(list, ".message[id]");
  return message && { id: message.id, top: topIn(list, message) };
}

/**
 * Whether the message was there to go to.
 * @param {HTMLElement} list
 * @param {{ id: string, top: number }} place
 * @returns {boolean}
 */
export function toPlace(list, { id, top }) {
  const message = document.getElementById(id);
  if (message) list.scrollTop += topIn(list, message) - top;
  return Boolean(message);
}

/**
 * Some browsers move what is read when something above or below it changes its height. Until the returned function is
 * called, what stands at the top of the list stays there; `moved` hears where that is once the reader rests.
 * @param {HTMLElement} list
 * @param {HTMLElement} content
 * @param {(place: { id: string, top: number } | null) => void} moved
 * @returns {() => void}
 */
export function keepPlace(list, content, moved) {
  let anchors = [];
  let rest = 0;

  function remember() {
    anchors = [];
    if (list.scrollTop > AT_END) return;
    for (const selector of [".prose > *", ".message"]) {
      const element = firstSeen(list, selector);
      if (element) anchors.push([element, topIn(list, element)]);
    }
  }

  function scrolled() {
    remember();
    clearTimeout(rest);
    rest = setTimeout(() => moved(placeOf(list)), 150);
  }

  function settle() {
    const [element, top] = anchors.find(([anchor]) => anchor.isConnected) ?? [];
    if (!element) return;
    const by = topIn(list, element) - top;
    if (Math.abs(by) >= 1) list.scrollTop += by;
  }

  const heights = new ResizeObserver(settle);
  const words = new MutationObserver(settle); // before anybody sees them
  list.addEventListener("scroll", scrolled, { passive: true });
  heights.observe(content);
  words.observe(content, { childList: true, characterData: true, subtree: true });
  return () => {
    clearTimeout(rest);
    list.removeEventListener("scroll", scrolled);
    heights.disconnect();
    words.disconnect();
  };
}

/** @param {{ id: string, top: number } | null} place */
export function rememberPlace(place) {
  history.replaceState({ ...history.state, place }, "");
}
